"""The reference application, its endpoints and the fault injectors."""
