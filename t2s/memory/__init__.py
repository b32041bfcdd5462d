"""What t2s learns and recalls; the ledger holds it, everything else can be rebuilt from there."""
