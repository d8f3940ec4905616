"""What Kinetria is about: entities, value objects, rules, errors and ports. Standard library only."""
