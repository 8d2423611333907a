import { OPTIONS } from '../../src/store/storeSettings.ts';

// JSON's own types where there is one: a form that is made from the schema then offers a switch for a boolean.
const TYPES = {
  boolean: () => ({ type: 'boolean' }),
  count: () => ({ type: 'integer', minimum: 1 }),
  size: () => ({ type: 'string', pattern: '^[0-9]+(\\.[0-9]+)? *([kKmMgG]i?)?[bB]?$' }),
  time: () => ({ type: 'string', pattern: '^[0-9]+(\\.[0-9]+)? *(ms|s|m|h)$' }),
  text: () => ({ type: 'string' }),
  file: () => ({ type: 'string' }),
  secret: () => ({ type: 'string', writeOnly: true }),
  choice: ({ choices }) => ({ type: 'string', enum: choices }),
};

/** The JSON schema of a store's configuration, made from the table of options. */
export function optionsSchema() {
  const options = OPTIONS.map((option) => [
    option.name,
    { ...TYPES[option.type](option), description: `${option.description} Default: ${option.defaultText}.` },
  ]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Kloset store in an OCI registry',
    type: 'object',
    required: ['location'],
    // The host adds keys of its own.
    additionalProperties: true,
    properties: {
      location: {
        type: 'string',
        pattern: '^oci://[^/]+/.+$',
        description: 'oci://HOST[:PORT]/REPOSITORY',
      },
      ...Object.fromEntries(options),
    },
  };
}
