"""What says what to do unasked."""
