import { Agent, request } from 'node:http';

/** Sends requests of one program, on connections that are kept, `most` at the most. */
export class Requests {
  constructor(most) {
    this.agent = new Agent({ keepAlive: true, maxSockets: most, maxFreeSockets: most });
  }

  /** Answers the status, once all of the answer is there. */
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
