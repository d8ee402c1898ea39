import { Agent, request } from 'node:http';

/** A minimal HTTP client that keeps its connections. It opens up to `connections`. */
export class HttpClient {
  constructor(connections) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  }

  /** Sends a request. @returns the status, once the whole response was received */
  send(url, { method = 'GET', headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
      request(url, { method, agent: this.agent, headers: { ...headers, ...length } }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode)).on('error', reject);
      })
        .on('error', reject)
        .end(body);
    });
  }
}

export const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
