/** How a client encodes values for which forms have no standard encoding. */
export interface FormStyle {
  /** Null: `a=` (blank), `a` (bare), or left out. */
  nulls: 'blank' | 'bare' | 'omitted';
  /** Lists: `a[]=1` or `a[0]=1`. */
  lists: 'brackets' | 'indexes';
}

export const formStyles: FormStyle[] = [
  { nulls: 'blank', lists: 'brackets' },
  { nulls: 'bare', lists: 'indexes' },
  { nulls: 'omitted', lists: 'indexes' },
  { nulls: 'omitted', lists: 'brackets' },
];

/** Encodes a record as a form with nested names. Omits empty objects and lists, as form libraries do. */
export function encodeForm(record: object, style: FormStyle): string {
  return Object.entries(record)
    .flatMap(([key, value]) => encodePairs(encodeURIComponent(key), value, style))
    .join('&');
}

function encodePairs(name: string, value: unknown, style: FormStyle): string[] {
  if (value === null) return { blank: [`${name}=`], bare: [name], omitted: [] }[style.nulls];
  if (typeof value !== 'object') return [`${name}=${encodeURIComponent(`${value as string}`)}`];
  const isFlat = Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);
  return Object.entries(value as object).flatMap(([key, nested]) =>
    encodePairs(`${name}[${isFlat && style.lists === 'brackets' ? '' : encodeURIComponent(key)}]`, nested, style),
  );
}
