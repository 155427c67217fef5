"""The API's routes, one module for each port they take."""
