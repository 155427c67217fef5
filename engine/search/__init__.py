"""From a query to answers: lanes, fusion, late interaction, evidence; in stages."""
