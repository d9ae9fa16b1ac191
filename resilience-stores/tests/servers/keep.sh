# Runs a server while the standard input of this script is open: keep.sh DIRECTORY SIGNAL COMMAND…
#
# However a test ends, the pipe closes. The script then stops the server with SIGNAL and removes DIRECTORY.
# Until then each input line is a command, answered by a line.
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
