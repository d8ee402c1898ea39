const PLUS = 0x2b;
const SPACE = 0x20;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;

/** A parameter of a form, as bytes. The value may be empty. */
export interface ParameterBytes {
  name: Buffer;
  value: Buffer;
}

/**
 * Percent-decodes a form in one pass. Bytes that are not UTF-8 and percent signs that begin no escape are kept. Source:
 * https://url.spec.whatwg.org/#urlencoded-parsing
 * @param max the most parameters to decode
 * @returns the parameters; undefined when there are more than `max`
 */
export function decodeForm(body: Buffer, max: number): ParameterBytes[] | undefined {
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
        if (parameters.length === max) return undefined;
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

/** @returns the value of a hexadecimal digit; for any other byte, a number so low that every sum with it is negative */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1_000;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1_000;
}
