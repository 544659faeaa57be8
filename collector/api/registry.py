"""``POST /v1/registry/{operation}``: the registry's contract, for the other commands of the owner's machine."""

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from collector.api import body
from collector.api.doors import Here, Operator
from collector.api.intake import refused
from collector.api.problem import Problem
from collector.registries._wire import OPERATIONS, call

ROUTER = APIRouter(tags=["registry"])
_CONTENT = {"application/json": {"schema": {"type": "object"}, "example": {}}}


@ROUTER.post(
    "/v1/registry/{operation}",
    responses=refused(400, 401, 403, 404, 408, 413, 415, 422),
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def operate(request: Request, here: Here, _operator: Operator, operation: str) -> Response:
    """Do one call of the registry's contract: arguments by name as JSON, its answer as JSON.

    Unlike agents, an operator says what time it is: the contract takes ``now`` from outside.
    """
    if operation not in OPERATIONS:
        raise Problem(404, f"the registry knows {', '.join(OPERATIONS)}")
    content = (await body.read(request, here.settings.limits)).content
    try:
        answer = await run_in_threadpool(call, here.registry, operation, content)
        if operation == "revoke":
            here.callers.forget()
    except LookupError as error:
        raise Problem(404, str(error.args[0] if error.args else error)) from None
    except ValidationError:
        raise
    except OverflowError:
        raise Problem(422, "a time or a number is out of range") from None
    except ValueError as error:  # the registry's own word on an argument, such as a name that is none
        raise Problem(422, str(error)) from None
    return Response(answer, media_type=body.JSON)
