# Runs a server for as long as somebody holds this script's standard input: keep.sh DIRECTORY SIGNAL COMMAND…
#
# However a test ends, its end of the pipe is closed then, and the server is stopped by SIGNAL and
# DIRECTORY removed. Until then each line says what to do; what has been done is answered by a line.
directory=$1 signal=$2
shift 2

start() {
  "$@" >>"$directory/log" 2>&1 </dev/null &
  server=$!
  echo "$server"
}

start "$@"
while read -r word; do
  case $word in
    start) start "$@" ;;
    wait) wait "$server"; echo ended ;;
    *) kill -s "$word" "$server"; echo sent ;;
  esac
done

kill -s "$signal" "$server"
kill -s CONT "$server"
wait "$server"
rm -rf "$directory"
