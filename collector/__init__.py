"""The centre: takes facts in, keeps them, hands out one consistent snapshot."""
