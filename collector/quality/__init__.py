"""What is wrong with the data themselves: noticed here, kept in the ledger, shown beside every conclusion."""
