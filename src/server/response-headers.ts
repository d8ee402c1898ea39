import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import type { Config } from '../config/config.js';

/** The security headers that matter for JSON responses. The others protect HTML pages. */
const API_HEADERS = [
  'X-Content-Type-Options',
  'X-Frame-Options',
  'X-XSS-Protection',
  'Cross-Origin-Resource-Policy',
  'Strict-Transport-Security',
];

/** Adds the request id, caching rules and security headers to every response. */
export function setResponseHeaders(fastify: FastifyInstance, config: Config): void {
  const pageHeaders = securityHeaders(config);
  const apiHeaders = Object.fromEntries(Object.entries(pageHeaders).filter(([name]) => API_HEADERS.includes(name)));
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(request.url.startsWith('/docs') ? pageHeaders : apiHeaders).header('X-Request-Id', request.id);
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // Not earlier, because the plugin that serves files sets its own Cache-Control.
    reply.header('Cache-Control', 'max-age=0, private, must-revalidate');
    // During a shutdown, keep-alive connections would delay the end of the process.
    if (!fastify.server.listening) reply.header('Connection', 'close');
    done();
  });
}

/** @returns all headers that helmet sets. They are the same for every response, so helmet runs once. */
function securityHeaders({ publicUrl }: Config): Record<string, string> {
  const headers: Record<string, string> = {};
  const middleware = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      // Swagger UI has inline styles and data: icons. It loads nothing from other hosts.
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        frameAncestors: ["'self'"],
      },
    },
    strictTransportSecurity: publicUrl?.startsWith('https:') ?? false,
  });
  const recorder = {
    setHeader: (name: string, value: string) => (headers[name] = value),
    removeHeader: () => undefined,
  };
  middleware({} as never, recorder as never, () => undefined);
  return headers;
}
