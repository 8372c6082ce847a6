FROM alpine
RUN apk add socat
CMD ["socat", "-d", \
     "TCP-LISTEN:2375,fork", \
     "UNIX-CONNECT:/var/run/docker.sock"]
