"""`fastflow demo`: one run through the whole system, step by step."""
