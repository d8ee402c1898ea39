import { describe, expect, it } from 'vitest';
import { NamedProviders } from '../src/registry/named-providers.js';

interface Handler {
  handle(): string;
}

class First implements Handler {
  handle = () => 'first';
}
class Second implements Handler {
  handle = () => 'second';
}

describe('NamedProviders', () => {
  const make = () => new NamedProviders<Handler, { concurrency: number }>('@Handles');

  it('finds instances by the names of their classes', () => {
    const providers = make();
    providers.register('b', Second, { concurrency: 2 });
    providers.register('a', First, { concurrency: 1 });
    const found = providers.index([new Second(), new First()]);
    expect(found.get('a')?.handle()).toBe('first');
    expect(found.get('b')?.handle()).toBe('second');
    expect(providers.definitions()).toEqual([
      { name: 'a', concurrency: 1 },
      { name: 'b', concurrency: 2 },
    ]);
  });

  it('adds later names to the array that was handed out', () => {
    const providers = make();
    const { names } = providers;
    providers.register('b', Second, { concurrency: 1 });
    providers.register('a', First, { concurrency: 1 });
    expect(names).toEqual(['a', 'b']);
  });

  it('refuses a name that another class has', () => {
    const providers = make();
    providers.register('a', First, { concurrency: 1 });
    expect(() => providers.register('a', Second, { concurrency: 1 })).toThrow(
      "@Handles('a') is on both First and Second",
    );
  });

  it('refuses instances when a named class is missing, or a class has no name', () => {
    const providers = make();
    providers.register('a', First, { concurrency: 1 });
    expect(() => providers.index([])).toThrow('No module provides First (@Handles)');
    expect(() => providers.index([new First(), new Second()])).toThrow('Second has no @Handles');
  });
});
