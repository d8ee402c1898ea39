import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';

/** One line a request, when it has been answered. Of its URL only the route's pattern: the rest may hold phone numbers and names. */
export class RequestLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(_error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const { method, routeOptions } = request;
    const { statusCode: status, elapsedTime } = reply;
    request.log.info({ method, route: routeOptions.url, status, ms: Math.round(elapsedTime) }, 'request');
  }
}
