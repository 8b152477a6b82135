#!/bin/sh
# Registers what Planwright uses on a server: its namespace with a retention, and four search attributes. Running it
# again changes the retention and nothing else.
#
#   TEMPORAL_ADDRESS    host:port      TEMPORAL_NAMESPACE  planwright unless told
#   RETENTION           how long finished executions stay, for example 90d
#   TEMPORAL_CLI        temporal unless told
set -eu

: "${TEMPORAL_ADDRESS:?is the address of the server, host:port}"
export TEMPORAL_ADDRESS
namespace="${TEMPORAL_NAMESPACE:-planwright}"
retention="${RETENTION:-90d}"
unset TEMPORAL_NAMESPACE

temporal() {
  command "${TEMPORAL_CLI:-temporal}" "$@"
}

# A server that has just been started answers before it can be written to.
tries=60
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries - 1))
  if [ "$tries" -eq 0 ]; then
    echo "The server at $TEMPORAL_ADDRESS is not healthy after a minute." >&2
    exit 1
  fi
  sleep 1
done

if temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1; then
  temporal operator namespace update --namespace "$namespace" --retention "$retention"
else
  temporal operator namespace create --namespace "$namespace" --retention "$retention" \
    --description 'Plans of Planwright'
fi

# A namespace that was just made is not known to every part of the server at once.
register() {
  tries=30
  until temporal operator search-attribute create --namespace "$namespace" --name "$1" --type "$2"; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "The search attribute $1 could not be registered." >&2
      exit 1
    fi
    sleep 1
  done
}
register PlanState Keyword
register PlanRisk Keyword
register PlanWorkspace Keyword
register PlanWaitingSince Datetime
echo "The namespace $namespace is ready."
