"""A browser's page, walked by Playwright."""
