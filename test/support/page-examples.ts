import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How long to repeat a command that waits for background work (ms). */
const REPEAT_TIMEOUT_MS = 60_000;
const ORIGIN = 'http://127.0.0.1:3000';
const TIMESTAMP = /"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g;

/** A command of a page, with the parts of the response that the page shows. */
export interface Example {
  command: string;
  status: string;
  headers: [name: string, value: string][];
  /** The expected body, with timestamps masked; undefined when the page shows none. */
  body?: string;
  /** Whether the command is repeated until background work leads to the response that the page shows. */
  repeats: boolean;
}

interface HttpResponse {
  status: string;
  headers: Map<string, string>;
  body: string;
}

/** A `sh` block with a command, optionally followed by an `http` and a `json` block with the response. */
const EXAMPLE_PATTERN =
  /(<!-- repeat -->\n\n)?^```sh\n([^`]+)\n^```\n(?:\n^```http\n([^`]+)\n^```\n)?(?:\n^```json\n([^`]+)\n^```\n)?/gm;

/** @returns the examples of a Markdown page, in order */
export function parseExamples(page: string): Example[] {
  return Array.from(page.matchAll(EXAMPLE_PATTERN), ([, repeat, command = '', head, json]) => {
    const [status = defaultStatus(command), ...headers] = head?.split('\n') ?? [];
    return {
      command,
      status,
      headers: headers.map((line): [string, string] => {
        const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
        return [name.toLowerCase(), value];
      }),
      body: status.includes(' 204 ') ? '' : json && maskTimestamps(JSON.stringify(JSON.parse(json))),
      repeats: repeat !== undefined,
    };
  });
}

/**
 * Runs the command of an example against the program at `origin`, and compares the response with the example: the
 * status, the headers that the page shows, and the whole body. Timestamps are compared by format only.
 *
 * @throws AssertionError when the response differs
 */
export async function replay(example: Example, origin: string): Promise<void> {
  for (const deadline = Date.now() + REPEAT_TIMEOUT_MS; ; await sleep(50)) {
    const answer = await request(example.command, origin);
    try {
      assertMatches(example, answer, origin);
      return;
    } catch (error) {
      if (!example.repeats || Date.now() > deadline) throw error;
    }
  }
}

/**
 * Runs a `curl` command of a page against the program at `origin`.
 *
 * @throws AssertionError when the status is not 2xx
 */
export async function runSuccessfully(command: string, origin: string): Promise<void> {
  const { status, body } = await request(command, origin);
  assert.match(status, /^HTTP\/1\.1 2\d\d /, `${command}: ${body}`);
}

function assertMatches(example: Example, answer: HttpResponse, origin: string): void {
  const { command, status, headers, body } = example;
  assert.equal(answer.status, status, `${command}: ${answer.body}`);
  for (const [name, value] of headers)
    assert.equal(answer.headers.get(name), value.replaceAll(ORIGIN, origin), `${command}: ${name}`);
  if (body !== undefined) assert.equal(maskTimestamps(answer.body), body, command);
}

/** Runs a `curl` command. The option `-i` makes curl print the status line and the headers before the body. */
async function request(command: string, origin: string): Promise<HttpResponse> {
  const { stdout } = await run('sh', ['-c', command.replaceAll(ORIGIN, origin).replace(/^curl /, 'curl -i ')]);
  const end = stdout.indexOf('\r\n\r\n');
  const [status = '', ...lines] = stdout.slice(0, end).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: status.trim(), headers: new Map(headers), body: stdout.slice(end + 4) };
}

/** @returns the status that is expected of an example without an `http` block */
function defaultStatus(command: string): string {
  return command.includes('-XPOST') ? 'HTTP/1.1 201 Created' : 'HTTP/1.1 200 OK';
}

function maskTimestamps(json: string): string {
  return json.replaceAll(TIMESTAMP, '"a timestamp"');
}
