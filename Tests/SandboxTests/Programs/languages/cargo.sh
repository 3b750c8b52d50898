# A Cargo that uses what shell programs use.
input=$(cat)
cd /tmp
mkdir -p a/b && echo "$input" > a/b/c && cp a/b/c a/d && mv a/d a/e && ln -s e a/l && ln a/e a/h && chmod 600 a/e && touch a/e
ls -l a > /dev/null; find a -type f > /dev/null; tar -cf t.tar a && gzip t.tar && tar -xzf t.tar.gz
seq 1 1000 | sort -n | awk '{ sum += $1 } END { print sum }' | sed 's/^/sum /' | grep -q 500500 || exit 3
dd if=/dev/zero of=z bs=1024 count=100 2> /dev/null; head -c 10 z > /dev/null; wc -c < z > /dev/null
timeout 5 sh -c 'sleep 0.01' & wait; mktemp > /dev/null; date > /dev/null; uname -a > /dev/null; id > /dev/null; df /tmp > /dev/null
trap 'caught=1' USR1; kill -USR1 $$; [ "$caught" = 1 ] || exit 4
rm -r a t.tar.gz z
echo '{"type":"token","content":"hello"}'
echo '{"type":"done"}'
