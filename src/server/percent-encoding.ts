const PLUS = 0x2b;
const SPACE = 0x20;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;

/** A parameter of a form as bytes: a name, and a value that may be empty. */
export interface ParameterBytes {
  name: Buffer;
  value: Buffer;
}

/**
 * The parameters of a form, percent-decoded byte by byte in one pass: nothing throws at a byte that is not UTF-8, or at
 * a percent sign that begins no escape. Source: https://url.spec.whatwg.org/#urlencoded-parsing
 * @returns undefined when there are more than `most`: then nothing beyond has been read
 */
export function decodeForm(body: Buffer, most: number): ParameterBytes[] | undefined {
  const decoded = Buffer.allocUnsafe(body.length);
  const parameters: ParameterBytes[] = [];
  let length = 0;
  let nameStart = 0;
  let nameEnd = -1;
  let isEmpty = true;
  for (let at = 0; at <= body.length; at++) {
    let byte = body[at];
    if (byte === undefined || byte === AMPERSAND) {
      if (!isEmpty) {
        if (parameters.length === most) return undefined;
        const border = nameEnd < 0 ? length : nameEnd;
        parameters.push({ name: decoded.subarray(nameStart, border), value: decoded.subarray(border, length) });
      }
      [nameStart, nameEnd, isEmpty] = [length, -1, true];
      continue;
    }
    isEmpty = false;
    if (byte === EQUALS && nameEnd < 0) {
      nameEnd = length;
      continue;
    }
    if (byte === PLUS) byte = SPACE;
    else if (byte === PERCENT) {
      const escaped = hexDigit(body[at + 1]) * 16 + hexDigit(body[at + 2]);
      if (escaped >= 0) {
        byte = escaped;
        at += 2;
      }
    }
    decoded[length++] = byte;
  }
  return parameters;
}

/** The value of a hexadecimal digit; for anything else a number that makes every sum with it negative. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1_000;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1_000;
}
