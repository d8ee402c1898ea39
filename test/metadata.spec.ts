import { describe, expect, it } from 'vitest';
import { mergeMetadata } from '../src/metadata/metadata.js';

describe('mergeMetadata', () => {
  const current = { name: 'Alice', home: { city: 'Battambang', floor: 1 }, tags: ['a', 'b'] };

  it('replaces top-level keys by default', () => {
    expect(mergeMetadata(current, { home: { city: 'Pailin' } })).toEqual({ ...current, home: { city: 'Pailin' } });
  });

  it('merges objects at every depth, but not lists, with deep_merge', () => {
    expect(mergeMetadata(current, { home: { city: 'Pailin' }, tags: ['c'] }, 'deep_merge')).toEqual({
      name: 'Alice',
      home: { city: 'Pailin', floor: 1 },
      tags: ['c'],
    });
  });

  it('keeps no stored key with replace', () => {
    expect(mergeMetadata(current, { name: 'Bob' }, 'replace')).toEqual({ name: 'Bob' });
  });

  it('treats a key that objects inherit as data', () => {
    const given = { toString: { a: 1 } } as Record<string, unknown>;
    expect(mergeMetadata({}, given, 'deep_merge')).toEqual(given);
  });
});
