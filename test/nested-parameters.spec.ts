import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadRequestError } from '../src/errors/errors.js';
import { decodeParameters, nestParameters } from '../src/server/nested-parameters.js';

const parse = (encoded: string, repeated: 'last' | 'reject' = 'reject') =>
  nestParameters(decodeParameters(encoded), { repeated });

describe('nested parameters', () => {
  it.each([
    ['metadata[name]=Alice&metadata[gender]=f', { metadata: { name: 'Alice', gender: 'f' } }],
    ['[metadata][name]=Alice&[metadata][gender]=f', { metadata: { name: 'Alice', gender: 'f' } }],
    ['metadata[list][]=1&metadata[list][]=2', { metadata: { list: ['1', '2'] } }],
    ['metadata[n][x]=1', { metadata: { n: { x: '1' } } }],
    ['metadata[list][5]=a', { metadata: { list: { 5: 'a' } } }],
    ['a[][x]=1&a[][y]=2&a[][x]=3', { a: [{ x: '1', y: '2' }, { x: '3' }] }],
    ['a[][]=1&a[][]=2', { a: [['1'], ['2']] }],
    ['name=a+b%20c', { name: 'a b c' }],
    ['q[metadata][key]', { q: { metadata: { key: null } } }],
    ['q[metadata][key]=', { q: { metadata: { key: '' } } }],
    ['m[a.b]=1&m[%22quote%22]=2&m[constructor]=3', { m: { 'a.b': '1', '"quote"': '2', constructor: '3' } }],
    ['a=b=c', { a: 'b=c' }],
    ['&&a=1&', { a: '1' }],
    ['', {}],
  ])('parses %s', (encoded, expected) => {
    expect(parse(encoded)).toEqual(expected);
  });

  it.each([
    ['a=1&a=2', 'is given twice'],
    ['a=1&a[x]=2', 'two shapes'],
    ['a[x]=1&a=2', 'two shapes'],
    ['a[]=1&a=2', 'two shapes'],
    ['a[]=1&a[x]=2', 'two shapes'],
    ['a[x=1', 'cannot be read'],
    ['a]=1', 'cannot be read'],
    ['=1', 'cannot be read'],
    ['[]=1', 'cannot be read'],
    ['a%5Bb]c=1', 'cannot be read'],
    ['m[__proto__][x]=1', '__proto__'],
    ['__proto__=1', '__proto__'],
    ['a=%zz', 'percent-encoded'],
    ['a=%ff', 'percent-encoded'],
    [`a${'[x]'.repeat(40)}=1`, 'nested deeper'],
    [Array.from({ length: 2001 }, (_, n) => `a[${n}]=1`).join('&'), 'more than 2000'],
  ])('rejects %.60s: %s', (encoded, reason) => {
    expect(() => parse(encoded)).toThrow(BadRequestError);
    expect(() => parse(encoded)).toThrow(reason);
  });

  it.each([
    ['a=0&a=1', { a: '1' }],
    ['m[a]=0&m[a]=1&m[b]=2', { m: { a: '1', b: '2' } }],
    ['m[a]&m[a]=1', { m: { a: '1' } }],
    ['m[a]=1&m[a]', { m: { a: null } }],
    ['a[][x]=0&a[][x]=1', { a: [{ x: '0' }, { x: '1' }] }],
  ])('parses %s to the last value with repeated: last', (encoded, expected) => {
    expect(parse(encoded, 'last')).toEqual(expected);
  });

  it.each(['a=1&a[x]=2', 'a[x]=1&a=2', 'a[]=1&a=2', 'a=1&a[]=2', 'a[]=1&a[x]=2'])(
    'rejects %s, whose values have two shapes, with repeated: last',
    (encoded) => {
      expect(() => parse(encoded, 'last')).toThrow('two shapes');
    },
  );

  it('counts the parameters before it decodes them', () => {
    expect(() => parse(`${'a&'.repeat(2_000)}%zz`)).toThrow('more than 2000');
    expect(() => parse(`${'&'.repeat(10_000)}a=1`)).not.toThrow();
  });

  it('loses no value: it returns all or throws', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '[', ']', '0', '_'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.stringMatching(/^[a-z]{1,5}$/)), { maxLength: 6 }), (parameters) => {
        let nested: unknown;
        try {
          nested = nestParameters(parameters, { repeated: 'reject' });
        } catch (error) {
          expect(error).toBeInstanceOf(BadRequestError);
          return;
        }
        expect(leavesOf(nested).sort()).toEqual(parameters.map(([, value]) => value).sort());
      }),
    );
  });
});

function leavesOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}
