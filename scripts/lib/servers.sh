# shellcheck shell=bash
# Private PostgreSQL and Redis servers for tests and benchmarks. To be sourced.
#
#   servers_start tests   PostgreSQL and Redis, both with TLS, and without fsync; exports EVALGRAPH_TEST_POSTGRES_URL,
#                         EVALGRAPH_TEST_POSTGRES_CA, which has vouched for both certificates, EVALGRAPH_TEST_REDIS_URL and
#                         EVALGRAPH_TEST_REDIS_TLS_URL. Installs Chromium, which tests start themselves,
#                         and Prometheus where servers_with_prometheus is set
#   servers_start bench   PostgreSQL as a user would run it; exports EVALGRAPH_BENCH_POSTGRES_URL and
#                         EVALGRAPH_BENCH_REDIS_URL
#
# The servers listen on 127.0.0.1 at ports of their own, keep everything in one temporary directory, and end with the
# script. Servers that run on the machine already are neither used nor touched.

servers_dir=
postgres_bin=
postgres_url=
redis_pid=
redis_url=
redis_tls_url=

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# The newest PostgreSQL whose server starts. Debian keeps its directory out of PATH.
find_postgres() {
  local directory
  while IFS= read -r directory; do
    if [[ -x $directory/initdb && -x $directory/pg_ctl ]] && "$directory/postgres" --version >/dev/null 2>&1; then
      postgres_bin=$directory
      return
    fi
  done < <(
    compgen -G '/usr/lib/postgresql/*/bin' | sort -rV || true
    dirname "$(command -v pg_ctl)" 2>/dev/null
  )
  return 1
}

find_redis() {
  command -v redis-server || command -v valkey-server
}

# Installs what is missing for this purpose, and nothing when nothing is.
install_missing() {
  local purpose=$1 packages=()
  command -v cargo >/dev/null || die "cargo is missing: install Rust, see https://rustup.rs"
  command -v cc >/dev/null || packages+=(gcc libc6-dev)
  command -v openssl >/dev/null || packages+=(openssl)
  find_postgres || packages+=(postgresql)
  find_redis >/dev/null || packages+=(redis-server)
  # Debian's package starts a server of its own where there is an init system; tests start theirs.
  if [[ ${servers_with_prometheus:-} ]]; then command -v promtool >/dev/null || packages+=(prometheus); fi
  if [[ $purpose == tests ]]; then
    command -v chromium >/dev/null && command -v chromedriver >/dev/null || packages+=(chromium chromium-driver)
  fi
  ((${#packages[@]})) || return 0

  command -v apt-get >/dev/null || die "missing, please install (by their Debian names): ${packages[*]}"
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "missing: ${packages[*]}. Run as root or with sudo, or have them installed."
    as_root=(sudo)
  fi
  echo "Installing ${packages[*]}" >&2
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  # The package lists of a bare image are empty, those of an old one stale: then, and only then, fetch them.
  "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1 || {
    "${apt[@]}" update >/dev/null
    "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >/dev/null
  } || die "could not install ${packages[*]}"
  find_postgres || die "PostgreSQL was installed, yet its server cannot be found"
}

# PostgreSQL refuses to run as root.
postgres_user() {
  if ((EUID != 0)); then
    id -un
  elif id postgres >/dev/null 2>&1; then
    echo postgres
  else
    echo nobody
  fi
}

as_postgres_user() {
  local user
  user=$(postgres_user)
  if ((EUID != 0)); then
    (cd / && "$@")
  else
    (cd / && exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@")
  fi
}

# Below the range that the system gives to outgoing connections.
random_port() {
  echo $((10000 + RANDOM % 22000))
}

# A certificate authority for one run, and a certificate that names `localhost` but not 127.0.0.1: the one host passes
# sslmode=verify-full, the other does not.
make_certificates() {
  local directory=$1
  cat >"$directory/openssl.cnf" <<'CONFIG'
[req]
distinguished_name = name
prompt = no
[name]
CN = evalgraph test CA
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost
CONFIG
  (
    cd "$directory"
    key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    openssl req -config openssl.cnf -x509 -extensions authority -days 2 "${key[@]}" -keyout ca.key -out ca.pem
    openssl req -config openssl.cnf -subj /CN=localhost "${key[@]}" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
      -extfile openssl.cnf -extensions server -out server.pem
  ) >"$directory/log" 2>&1 || die "openssl failed: $(cat "$directory/log")"
}

start_postgres() {
  local purpose=$1 home=$servers_dir/postgres log=$servers_dir/postgres/log port
  mkdir -p "$home/socket" "$home/tls"
  local settings=(
    -c listen_addresses=127.0.0.1 -c "unix_socket_directories=$home/socket" -c max_connections=300
    -c logging_collector=off -c timezone=UTC
  )
  if [[ $purpose == tests ]]; then
    make_certificates "$home/tls"
    install -m 644 "$home/tls/ca.pem" "$servers_dir/ca.pem"
    settings+=(
      -c ssl=on -c "ssl_cert_file=$home/tls/server.pem" -c "ssl_key_file=$home/tls/server.key"
      # What a crash would lose is of no use to anybody.
      -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0
    )
  fi
  if ((EUID == 0)); then chown -R "$(postgres_user):" "$home"; fi
  as_postgres_user "$postgres_bin/initdb" --pgdata="$home/data" --username=postgres --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --no-sync >"$servers_dir/initdb.log" 2>&1 || die "initdb failed: $(cat "$servers_dir/initdb.log")"
  if [[ $purpose == tests ]]; then
    # For the test of a refused password: the first line that matches counts, and the others trust everybody.
    sed -i '1i host evalgraph_needs_password all 127.0.0.1/32 scram-sha-256' "$home/data/pg_hba.conf"
  fi

  local attempt
  for attempt in {1..20}; do
    port=$(random_port)
    if as_postgres_user "$postgres_bin/pg_ctl" start --pgdata="$home/data" --wait --silent --log="$log" \
      --options="${settings[*]} -p $port" >/dev/null 2>&1; then
      postgres_url=postgres://postgres@127.0.0.1:$port/postgres
      return
    fi
    grep -q 'Address already in use' "$log" || break
    rm -f "$log"
  done
  die "PostgreSQL did not start (attempt $attempt): $(cat "$log" 2>&1)"
}

start_redis() {
  local purpose=$1 home=$servers_dir/redis log=$servers_dir/redis/log tls=$servers_dir/postgres/tls port tls_port attempt
  local settings=()
  mkdir -p "$home"
  for attempt in {1..20}; do
    port=$(random_port)
    if [[ $purpose == tests ]]; then
      tls_port=$(random_port)
      settings=(
        --tls-port "$tls_port" --tls-cert-file "$tls/server.pem" --tls-key-file "$tls/server.key"
        --tls-ca-cert-file "$tls/ca.pem" --tls-auth-clients no
      )
    fi
    : >"$log"
    # In a session of its own, so that Ctrl-C reaches the tests first and the server only through `servers_stop`.
    setsid "$(find_redis)" --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$home" \
      "${settings[@]}" >"$log" 2>&1 &
    redis_pid=$!
    until grep -q 'Ready to accept connections' "$log"; do
      if ! kill -0 "$redis_pid" 2>/dev/null; then
        redis_pid=
        break
      fi
      sleep 0.05
    done
    if [[ $redis_pid ]]; then
      redis_url=redis://127.0.0.1:$port
      # By the name that is in the certificate.
      if [[ $purpose == tests ]]; then redis_tls_url=rediss://localhost:$tls_port; fi
      return
    fi
    grep -q 'Address already in use' "$log" || break
  done
  die "Redis did not start (attempt $attempt): $(cat "$log")"
}

servers_stop() {
  if [[ $redis_pid ]]; then
    kill "$redis_pid" 2>/dev/null || true
    wait "$redis_pid" 2>/dev/null || true
  fi
  if [[ -e $servers_dir/postgres/data/postmaster.pid ]]; then
    as_postgres_user "$postgres_bin/pg_ctl" stop --pgdata="$servers_dir/postgres/data" --mode=immediate --silent || true
  fi
  if [[ $servers_dir ]]; then rm -rf "$servers_dir"; fi
}

servers_start() {
  trap servers_stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  install_missing "$1"
  # In /tmp whatever TMPDIR says: another user must reach it, and the path of a socket must be short.
  servers_dir=$(mktemp -d /tmp/evalgraph-servers.XXXXXX)
  chmod 755 "$servers_dir"
  start_postgres "$1"
  start_redis "$1"
  if [[ $1 == tests ]]; then
    export EVALGRAPH_TEST_POSTGRES_URL=$postgres_url EVALGRAPH_TEST_POSTGRES_CA=$servers_dir/ca.pem
    export EVALGRAPH_TEST_REDIS_URL=$redis_url EVALGRAPH_TEST_REDIS_TLS_URL=$redis_tls_url
  else
    export EVALGRAPH_BENCH_POSTGRES_URL=$postgres_url EVALGRAPH_BENCH_REDIS_URL=$redis_url
  fi
}
