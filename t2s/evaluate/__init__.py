"""How right the answers are: data sets with known answers, verdicts, figures, reports."""
