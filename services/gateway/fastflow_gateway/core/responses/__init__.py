"""How rows and facts look to people: JSON columns opened, values that may be secrets hidden; one file per noun."""
