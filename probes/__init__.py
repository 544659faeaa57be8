"""The agent: walks journeys as a user would and samples the machine it runs on."""
