"""What each real API refuses in a request. One file per wire; `refuse(body, ledger)` gives the first refusal."""
