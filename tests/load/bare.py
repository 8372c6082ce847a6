"""A bare end point to compare with: Starlette, uvicorn, and nothing but the signature."""

import hashlib
import hmac
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def application(secret: str) -> Starlette:
    """Answer 202 where the body is signed."""

    async def webhook(request: Request) -> JSONResponse:
        body = await request.body()
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        given = request.headers.get("x-hub-signature-256", "")
        if not hmac.compare_digest(f"sha256={digest}", given):
            return JSONResponse({"error": "not signed"}, 401)
        return JSONResponse({"status": "accepted"}, 202)

    async def ready(_request: Request) -> JSONResponse:
        return JSONResponse({})

    return Starlette(routes=[Route("/webhook", webhook, methods=["POST"]), Route("/readyz", ready)])


def main() -> None:
    """Serve on the port given, as the real server does."""
    config = uvicorn.Config(
        application(sys.argv[2]),
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
