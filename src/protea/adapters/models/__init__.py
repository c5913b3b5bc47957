"""Language models, one provider wire per file; `providers` is the table of names people use."""
