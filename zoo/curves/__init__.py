"""How a training goes or went, told from its journal and its log: lines, curves on a terminal, pictures."""
