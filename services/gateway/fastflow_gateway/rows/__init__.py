"""What the read model is asked, in the words of whoever asks: one file per noun."""
