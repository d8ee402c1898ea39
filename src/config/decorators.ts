import { type ValidationArguments, ValidateIf, registerDecorator } from 'class-validator';

// The decorators for the properties of `Environment`.

/** The entry of a setting in docs/configuration.md. */
export interface SettingDocumentation {
  /** The heading under which the page lists the setting. */
  section: string;
  /** One or two sentences in Markdown. */
  description: string;
  /** The unit of a number, in the plural. */
  unit?: string;
  /** The default in Markdown, if the property has no initializer. */
  defaultsTo?: string;
  /** The valid values, in Markdown. */
  values?: string;
}

const documentation = new Map<string, Partial<SettingDocumentation>>();

/** Documents a setting. */
export function Documented(text: SettingDocumentation): PropertyDecorator {
  return (_target, name) => document(name, text);
}

/** A whole number from `min` to `max`, in decimal digits. */
export function WholeNumber(min: number, max: number): PropertyDecorator {
  return Values(`a whole number from ${min} to ${max}`, isNumber(/^\d+$/, min, max));
}

/** A number from `min` to `max`, such as `2` or `0.5`. */
export function DecimalNumber(min: number, max: number): PropertyDecorator {
  return Values(`a number from ${min} to ${max}`, isNumber(/^\d+(\.\d+)?$/, min, max));
}

/** Exactly one of several words. */
export function OneOf(words: readonly string[]): PropertyDecorator {
  const quoted = words.map((word) => `\`${word}\``);
  return Values(
    `one of ${words.join(', ')}`,
    (value) => words.includes(value),
    `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
  );
}

/** `true` or `false`. */
export function Flag(): PropertyDecorator {
  return OneOf(['true', 'false']);
}

/**
 * Restricts the values of a setting. An unset setting is valid.
 *
 * @param values describes the valid values: the error is `NAME must be ${values}.`
 * @param isValid whether a value is valid
 * @param documented the same description in Markdown, for docs/configuration.md
 */
export function Values(
  values: string,
  isValid: (value: string) => boolean,
  documented: string = values,
): PropertyDecorator {
  return (target, name) => {
    document(name, { values: documented });
    ValidateIf((_, value) => value !== undefined)(target, name);
    registerDecorator({
      name: 'values',
      target: target.constructor,
      propertyName: String(name),
      validator: {
        validate: (value: string) => isValid(value),
        defaultMessage: (context?: ValidationArguments) => `${context?.property} must be ${values}.`,
      },
    });
  };
}

/**
 * The documentation of one setting, for scripts/configuration-page.mjs.
 *
 * @public
 * @throws Error when the setting is not `@Documented`
 */
export function documentationOf(name: string): SettingDocumentation {
  const { section, description, ...others } = documentation.get(name) ?? {};
  if (!section || !description) throw new Error(`The setting ${name} is not @Documented.`);
  return { section, description, ...others };
}

function document(name: string | symbol, text: Partial<SettingDocumentation>): void {
  documentation.set(String(name), { ...documentation.get(String(name)), ...text });
}

function isNumber(format: RegExp, min: number, max: number): (value: string) => boolean {
  return (value) => format.test(value) && Number(value) >= min && Number(value) <= max;
}
