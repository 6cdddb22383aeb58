// Checks a JSON value against a JSON Schema: the keywords that schema/*.schema.json use, and an error for any other.

const annotations = new Set(['$schema', '$defs', 'title', 'description']);

const typeOf = (value) =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;

/// The first thing that is wrong, as text, or null.
export function violation(value, schema, root = schema, at = '$') {
  const wrong = (text) => `${at}: ${text}`;
  for (const [keyword, rule] of Object.entries(schema)) {
    if (annotations.has(keyword)) continue;
    switch (keyword) {
      case '$ref': {
        const target = rule.replace(/^#\//, '').split('/').reduce((node, name) => node?.[name], root);
        if (!target) throw new Error(`the schema has no ${rule}`);
        const found = violation(value, target, root, at);
        if (found) return found;
        break;
      }
      case 'type': {
        const types = [rule].flat();
        const type = typeOf(value);
        if (!types.includes(type) && !(type === 'integer' && types.includes('number'))) return wrong(`${type} instead of ${types}`);
        break;
      }
      case 'const':
        if (value !== rule) return wrong(`${JSON.stringify(value)} instead of ${JSON.stringify(rule)}`);
        break;
      case 'enum':
        if (!rule.includes(value)) return wrong(`${JSON.stringify(value)} is none of ${JSON.stringify(rule)}`);
        break;
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(rule).test(value)) return wrong(`${JSON.stringify(value)} does not match ${rule}`);
        break;
      case 'required':
        if (typeOf(value) !== 'object') break;
        for (const name of rule) if (!(name in value)) return wrong(`there is no "${name}"`);
        break;
      case 'properties':
        if (typeOf(value) !== 'object') break;
        for (const [name, inner] of Object.entries(rule)) {
          const found = name in value ? violation(value[name], inner, root, `${at}.${name}`) : null;
          if (found) return found;
        }
        break;
      case 'additionalProperties':
        if (rule !== false) throw new Error('additionalProperties: only false is known');
        if (typeOf(value) !== 'object') break;
        for (const name of Object.keys(value)) if (!(name in (schema.properties ?? {}))) return wrong(`unknown member "${name}"`);
        break;
      case 'items':
        if (!Array.isArray(value)) break;
        for (const [i, item] of value.entries()) {
          const found = violation(item, rule, root, `${at}[${i}]`);
          if (found) return found;
        }
        break;
      default:
        throw new Error(`the schema uses ${keyword}, which this checker does not know`);
    }
  }
  return null;
}
