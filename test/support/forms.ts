/** How a client writes what a form has no way to write. */
export interface FormStyle {
  /** What is null: with an empty value, with no value, or not at all. */
  nulls: 'blank' | 'bare' | 'omitted';
  /** A list: `a[]=1`, or `a[0]=1`. */
  lists: 'brackets' | 'indexes';
}

export const formStyles: FormStyle[] = [
  { nulls: 'blank', lists: 'brackets' },
  { nulls: 'bare', lists: 'indexes' },
  { nulls: 'omitted', lists: 'indexes' },
  { nulls: 'omitted', lists: 'brackets' },
];

/** A record as a form with nested names. Empty objects and lists are left out, as all form libraries do. */
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
