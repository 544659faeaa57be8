"""A simulated radio in a virtual machine: real associations, roams and losses, recorded for the tests."""
