/** A value of the Ruby that record_transformer runs. `null` is nil. */
export type RubyValue = string | boolean | null | readonly string[] | { readonly [key: string]: RubyValue };

const TOKEN = /\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|&\.|\|\||&&|==|!=|[A-Za-z_]\w*[?!]?|[[\]().,?:!{}])/y;

/** What raises an error in Ruby, or is no part of what is understood here. */
class RubyError extends Error {}

/**
 * Runs a small part of Ruby: `record`, `[…]`, `dig`, `fetch`, `nil?`, `empty?`, `key?`, `to_s`, `&.`, `||`, `&&`, `==`, `!=`,
 * `!`, the ternary operator, `{}` and strings. Undefined for any other code, and where Ruby would raise an error.
 */
export function runRuby(code: string, record: RubyValue): RubyValue | undefined {
  try {
    const runner = new Runner(tokenize(code), record);
    return runner.whole();
  } catch (error) {
    if (error instanceof RubyError) return undefined;
    throw error;
  }
}

/** The texts of a code's string literals. */
export function rubyStrings(code: string): string[] {
  return [...code.matchAll(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/g)].map((match) => match[1] ?? match[2] ?? '');
}

function tokenize(code: string): string[] {
  const tokens: string[] = [];
  const text = code.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) throw new RubyError();
    // The question mark of the ternary operator, where none of a method's name.
    if (/^\w+\?$/.test(token) && !/^(?:nil|empty|key|has_key|include)\?$/.test(token))
      tokens.push(token.slice(0, -1), '?');
    else tokens.push(token);
  }
  return tokens;
}

class Runner {
  readonly #tokens: readonly string[];
  readonly #record: RubyValue;
  #at = 0;

  constructor(tokens: readonly string[], record: RubyValue) {
    this.#tokens = tokens;
    this.#record = record;
  }

  whole(): RubyValue {
    const value = this.#ternary(true);
    if (this.#at < this.#tokens.length) throw new RubyError();
    return value;
  }

  /** What is not `live` is only read over: Ruby does not run it, and it may not be able to. */
  #ternary(live: boolean): RubyValue {
    const condition = this.#or(live);
    if (!this.#skip('?')) return condition;
    const yes = this.#ternary(live && isTrue(condition));
    this.#expect(':');
    const no = this.#ternary(live && !isTrue(condition));
    return isTrue(condition) ? yes : no;
  }

  #or(live: boolean): RubyValue {
    let value = this.#and(live);
    while (this.#skip('||')) {
      const other = this.#and(live && !isTrue(value));
      if (!isTrue(value)) value = other;
    }
    return value;
  }

  #and(live: boolean): RubyValue {
    let value = this.#equality(live);
    while (this.#skip('&&')) {
      const other = this.#equality(live && isTrue(value));
      if (isTrue(value)) value = other;
    }
    return value;
  }

  #equality(live: boolean): RubyValue {
    const value = this.#unary(live);
    if (this.#skip('==')) return value === this.#unary(live);
    if (this.#skip('!=')) return value !== this.#unary(live);
    return value;
  }

  #unary(live: boolean): RubyValue {
    if (this.#skip('!')) return !isTrue(this.#unary(live));
    let value = this.#primary(live);
    for (;;) {
      if (this.#skip('[')) {
        value = index(value, this.#ternary(live), live);
        this.#expect(']');
      } else if (this.#skip('.')) {
        value = this.#call(value, live);
      } else if (this.#skip('&.')) {
        value = this.#call(value, live && value !== null);
      } else {
        return value;
      }
    }
  }

  #call(on: RubyValue, live: boolean): RubyValue {
    const name = this.#tokens[this.#at++];
    const args: RubyValue[] = [];
    if (this.#skip('(')) {
      while (!this.#skip(')')) {
        args.push(this.#ternary(live));
        this.#skip(',');
      }
    }
    const [first = null, second] = args;
    switch (name) {
      case 'nil?':
        return on === null;
      case 'to_s':
        return on === null ? '' : on;
      case 'empty?':
        if (on === null && live) throw new RubyError();
        return on === '' || (typeof on === 'object' && on !== null && Object.keys(on).length === 0);
      case 'dig':
        return args.reduce<RubyValue>((value, key) => (value === null ? null : index(value, key, live)), on);
      case 'fetch': {
        const found = index(on, first, live);
        if (found === null && second === undefined && live) throw new RubyError();
        return found ?? second ?? null;
      }
      case 'key?':
      case 'has_key?':
      case 'include?':
        return index(on, first, live) !== null;
      default:
        throw new RubyError();
    }
  }

  #primary(live: boolean): RubyValue {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new RubyError();
    if (token === '(') {
      const value = this.#ternary(live);
      this.#expect(')');
      return value;
    }
    if (token === '{') {
      this.#expect('}');
      return {};
    }
    if (token === 'record') return this.#record;
    if (token === 'nil') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    if (/^["']/.test(token)) return token.slice(1, -1).replaceAll(/\\(.)/g, '$1');
    throw new RubyError();
  }

  #skip(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#skip(token)) throw new RubyError();
  }
}

function index(on: RubyValue, key: RubyValue, live: boolean): RubyValue {
  if (typeof on === 'object' && on !== null && !Array.isArray(on) && typeof key === 'string') {
    return Object.hasOwn(on, key) ? ((on as { readonly [key: string]: RubyValue })[key] ?? null) : null;
  }
  if (live) throw new RubyError();
  return null;
}

function isTrue(value: RubyValue): boolean {
  return value !== null && value !== false;
}
