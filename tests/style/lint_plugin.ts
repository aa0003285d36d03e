/** House rules for `deno lint`, on the linter's own syntax tree. */

const longestFunctionLines = 70;
/** Two positional arguments, then one options object. */
const mostParameters = 3;

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

const functionLength: Deno.lint.Rule = {
  create(context) {
    const check = (node: FunctionNode) => {
      const lines = context.sourceCode.text.slice(...node.range).split("\n").length;
      if (lines <= longestFunctionLines) return;
      context.report({
        node,
        message: `This function has ${lines} lines; ${longestFunctionLines} are allowed`,
        hint: "Give a part of it a name of its own",
      });
    };
    return forFunctions(check);
  },
};

const parameters: Deno.lint.Rule = {
  create(context) {
    const check = (node: FunctionNode) => {
      if (node.params.length <= mostParameters) return;
      context.report({
        node,
        message: `This function takes ${node.params.length} arguments; ${mostParameters} are allowed`,
        hint: "Two positional arguments at most, then one options object",
      });
    };
    return forFunctions(check);
  },
};

const defaultExport: Deno.lint.Rule = {
  create(context) {
    return {
      ExportDefaultDeclaration(node) {
        context.report({ node, message: "Default exports have no name of their own", hint: "Export it by its name" });
      },
    };
  },
};

function forFunctions(check: (node: FunctionNode) => void): Deno.lint.LintVisitor {
  return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
}

/** The plugin; the linter asks for it as the default export. */
const plugin: Deno.lint.Plugin = {
  name: "weir",
  rules: { "function-length": functionLength, parameters, "default-export": defaultExport },
};
// deno-lint-ignore weir/default-export
export default plugin;
