#!/bin/sh
# Brings Temporal's two databases to the schema of this server version: creates them where they are missing, updates
# them where they are older, changes nothing where they are right. Run before each start of a newer server.
#
#   POSTGRES_SEEDS  host        DB_PORT  port (5432)        POSTGRES_USER  user that may create databases
#   POSTGRES_PWD    its password, or POSTGRES_PWD_FILE, a file that holds it
#   SQL_TOOL        temporal-sql-tool unless told
set -eu

: "${POSTGRES_SEEDS:?is the host of PostgreSQL}"
: "${POSTGRES_USER:?is the user that owns the databases}"
if [ -n "${POSTGRES_PWD_FILE:-}" ]; then
  POSTGRES_PWD="$(cat "$POSTGRES_PWD_FILE")"
fi
SQL_PASSWORD="${POSTGRES_PWD:?or POSTGRES_PWD_FILE is the password}"
export SQL_PASSWORD

sql() {
  database="$1"
  shift
  "${SQL_TOOL:-temporal-sql-tool}" --plugin postgres12 --ep "$POSTGRES_SEEDS" --port "${DB_PORT:-5432}" \
    --user "$POSTGRES_USER" --db "$database" "$@"
}

bring_up() {
  database="$1"
  schema="$2"
  # A database that has a schema version only needs the update; a new one is created and set up before it.
  if ! sql "$database" update-schema --schema-name "$schema" 2>/dev/null; then
    sql "$database" create
    sql "$database" setup-schema --version 0.0
    sql "$database" update-schema --schema-name "$schema"
  fi
}

bring_up "${DBNAME:-temporal}" postgresql/v12/temporal
bring_up "${VISIBILITY_DBNAME:-temporal_visibility}" postgresql/v12/visibility
echo 'Both databases have the schema of this version.'
