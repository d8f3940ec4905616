"""The generated profiles that ship with the package."""
