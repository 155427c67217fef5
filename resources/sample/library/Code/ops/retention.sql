-- How long things may stay: run nightly by the scheduler, in small steps so that nobody waits.

-- Raw access logs: 14 days, then only counts per hour remain.
CREATE OR REPLACE FUNCTION fold_access_logs() RETURNS integer AS $$
DECLARE
    folded integer;
BEGIN
    INSERT INTO access_hourly (hour, route, hits, errors)
    SELECT date_trunc('hour', seen_at), route, count(*), count(*) FILTER (WHERE status >= 500)
    FROM access_log
    WHERE seen_at < now() - interval '14 days'
    GROUP BY 1, 2
    ON CONFLICT (hour, route) DO UPDATE
        SET hits = access_hourly.hits + excluded.hits,
            errors = access_hourly.errors + excluded.errors;

    DELETE FROM access_log WHERE seen_at < now() - interval '14 days';
    GET DIAGNOSTICS folded = ROW_COUNT;
    RETURN folded;
END;
$$ LANGUAGE plpgsql;

-- Accounts closed more than 90 days ago lose everything that names a person.
CREATE OR REPLACE VIEW accounts_to_anonymise AS
SELECT id
FROM accounts
WHERE closed_at < now() - interval '90 days'
  AND anonymised_at IS NULL;

UPDATE accounts
SET email = 'gone-' || id || '@invalid',
    display_name = NULL,
    birthday = NULL,
    anonymised_at = now()
WHERE id IN (SELECT id FROM accounts_to_anonymise LIMIT 500);
