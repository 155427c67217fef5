# What the terminal of one screenshot shows: an upload that does not get through.
prompt() { printf '\033[32mmara@fjord\033[0m:\033[94m~/previews\033[0m$ %s\n' "$1"; }
prompt 'python push.py --verbose export/harbour-2026.tar'
printf 'harbour-2026.tar: 412.6 MB in 50 pieces\n'
printf 'piece 17/50  PUT /v2/bucket/previews  503 Service Unavailable\n'
for line in '1/6, next try in 0.4 s' '2/6, next try in 1.3 s' '3/6, next try in 0.9 s' \
    '4/6, next try in 5.2 s' '5/6, next try in 11.8 s'; do
  printf '  \033[33mwarning\033[0m: attempt %s\n' "$line"
done
printf '  \033[31merror\033[0m: attempt 6/6 failed, giving up on piece 17\n'
printf 'Traceback (most recent call last):\n'
printf '  File "/home/mara/previews/push.py", line 88, in <module>\n    main()\n'
printf '  File "/home/mara/previews/push.py", line 71, in main\n    send_patiently(piece, url)\n'
printf 'upload.GaveUp: harbour-2026.tar: no attempt went through\n'
prompt 'ping -c 2 store.falkenberg.example'
printf 'PING store.falkenberg.example (203.0.113.40) 56(84) bytes of data.\n'
printf '64 bytes from 203.0.113.40: icmp_seq=1 ttl=53 time=1841 ms\n'
printf '64 bytes from 203.0.113.40: icmp_seq=2 ttl=53 time=1796 ms\n\n'
printf '\033[32mmara@fjord\033[0m:\033[94m~/previews\033[0m$ '
sleep 600
