import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import type { Config } from '../config/config.js';

/** Of helmet's headers those that mean something to a browser that is given data; the rest is about pages, and for each answer it is work. */
const API_HEADERS = [
  'X-Content-Type-Options',
  'X-Frame-Options',
  'X-XSS-Protection',
  'Cross-Origin-Resource-Policy',
  'Strict-Transport-Security',
];

/** Gives every answer its headers: the request's id, what caches may do, and what browsers shall not. */
export function setResponseHeaders(fastify: FastifyInstance, config: Config): void {
  const withPages = securityHeaders(config);
  const withData = Object.fromEntries(Object.entries(withPages).filter(([name]) => API_HEADERS.includes(name)));
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(request.url.startsWith('/docs') ? withPages : withData).header('X-Request-Id', request.id);
    done();
  });
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    // Only now, since what sends files has an opinion of its own.
    reply.header('Cache-Control', 'max-age=0, private, must-revalidate');
    // Once we stop, a connection that was kept open would keep us from ending.
    if (!fastify.server.listening) reply.header('Connection', 'close');
    done();
  });
}

/** All that helmet gives; it is the same for all, so it is asked once. */
function securityHeaders({ publicUrl }: Config): Record<string, string> {
  const headers: Record<string, string> = {};
  const middleware = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      // Swagger UI carries its styles and some icons in itself; nothing comes from elsewhere.
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
