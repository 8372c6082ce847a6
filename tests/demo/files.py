"""The example: a shop gets a reverse proxy and an integration test, each for a good reason."""

BASE = {
    "README.md": "# Shop\n",
    "compose.yaml": """\
services:
  shop:
    image: ghcr.io/acme/shop:4
    read_only: true
    cap_drop: [ALL]
    user: "1000:1000"
    networks: [public]
networks:
  public: {}
""",
    ".github/workflows/ci.yml": """\
name: ci
on: [pull_request]
permissions: {}
jobs:
  test:
    runs-on: self-hosted
    steps:
      - uses: actions/checkout@v5
      - name: Unit tests
        run: make test
""",
}

HEAD = {
    "compose.yaml": """\
services:
  proxy:
    image: traefik:v3.6
    command: [--providers.docker=true, --entrypoints.web.address=:80]
    user: "65534:65534"
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    ports: ["80:80"]
    networks: [public]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
  shop:
    image: ghcr.io/acme/shop:4
    read_only: true
    cap_drop: [ALL]
    user: "1000:1000"
    networks: [public]
    labels:
      traefik.enable: "true"
networks:
  public: {}
""",
    ".github/workflows/ci.yml": """\
name: ci
on: [pull_request]
permissions: {}
jobs:
  test:
    runs-on: self-hosted
    steps:
      - uses: actions/checkout@v5
      - name: Unit tests
        run: make test
      - name: Integration tests
        run: |
          docker run --rm \\
            -v "$PWD:/src" \\
            -v /var/run/docker.sock:/var/run/docker.sock \\
            ghcr.io/acme/tester:1 /src/it.sh
""",
}

TITLE = "Put Traefik in front of the shop"
BODY = "Traefik finds the services by their labels, so it needs to see them."
REASON = "Reason: until the proxy of issue 12 is there, on a machine that runs nothing else."
