import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';

/**
 * Logs one line for each request, after its response was sent. The line has the pattern of the route instead of the
 * URL, which may contain phone numbers and names.
 */
export class RequestLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(_error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const { method, routeOptions } = request;
    const { statusCode: status, elapsedTime } = reply;
    request.log.info({ method, route: routeOptions.url, status, ms: Math.round(elapsedTime) }, 'request');
  }
}
