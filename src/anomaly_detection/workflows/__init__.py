"""What users do, one module per verb. Every door calls these; none of them knows a terminal or a browser."""
