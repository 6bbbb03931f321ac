package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"opscom-import/mapping/internal/chars"
)

const (
	// These limit an expression. The first two are looked at before expr's parser
	// sees it, whose time grows with the square of the brackets in brackets, and which
	// nothing stops: 300,000 took a minute. Memory is counted in the elements that expr
	// allocates.
	maxExpressionBytes  = 20_000
	maxExpressionDepth  = 50
	maxExpressionNodes  = 1_000
	maxExpressionMemory = 100_000

	// columnFunction is the function that reads a column by its header.
	columnFunction = "col"

	// clockFunction is expr's, and disabled: a row always gives the same profile.
	clockFunction = "now"
)

// expression is a compiled expression of the mapping file. It is for one goroutine at
// a time.
type expression struct {
	program *vm.Program
	machine vm.VM
	columns []int          // the columns that it reads, each once
	missing []string       // texts that are blank to it
	texts   map[string]any // their texts, by columnName; reused from row to row
}

// columnName is the name of a column inside a program. It cannot be a word of the
// language.
func columnName(index int) string { return "column " + strconv.Itoa(index) }

// newCondition compiles an expression that must give true or false.
func newCondition(source string, header []string) (*expression, error) {
	return newExpression(source, header, expr.AsBool())
}

// newText compiles an expression that must give a text or a number.
func newText(source string, header []string) (*expression, error) {
	e, err := newExpression(source, header, expr.AsAny())
	if err != nil {
		return nil, err
	}
	t := e.program.Node().Type()
	if t == nil {
		return e, nil
	}
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Float64, reflect.Interface:
		return e, nil
	case reflect.Bool:
		return nil, errors.New(`the expression gives true or false; write CONDITION ? "one text" : "another"`)
	}
	return nil, errors.New(`the expression gives no text; a list becomes one with join(LIST, " ")`)
}

func newExpression(source string, header []string, result expr.Option) (*expression, error) {
	if err := checkSize(source); err != nil {
		return nil, err
	}
	names := make(map[string]any, len(header))
	for i := range header {
		names[columnName(i)] = ""
	}
	words := &wordScan{local: map[string]bool{}, called: map[ast.Node]bool{}}
	columns := &columnPatch{source: file.NewSource(source), header: header, words: words}
	options := append(nameFunctions(), expr.Env(names), result, expr.MaxNodes(maxExpressionNodes),
		expr.DisableBuiltin(clockFunction), expr.Patch(words), expr.Patch(columns))
	program, err := expr.Compile(source, options...)
	if columns.err != nil {
		return nil, columns.err
	}
	if err != nil {
		return nil, plainExpressionError(err)
	}
	return &expression{
		program: program,
		machine: vm.VM{MemoryBudget: maxExpressionMemory},
		columns: columns.used,
		texts:   make(map[string]any, len(columns.used)),
	}, nil
}

// ExpressionColumns returns the columns that an expression reads, in the order in which
// it names them, each once. The error says why it is no expression for this header.
func ExpressionColumns(source string, header []string) ([]int, error) {
	e, err := newText(source, header)
	if err != nil {
		return nil, err
	}
	return e.columns, nil
}

// checkSize refuses an expression that is too long, or has too many brackets in
// brackets.
func checkSize(source string) error {
	if len(source) > maxExpressionBytes {
		return fmt.Errorf("the expression is too long: %d characters are the limit", maxExpressionBytes)
	}
	depth := 0
	var quote byte // that ends the text in which we are
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '(' || c == '[' || c == '{':
			if depth++; depth > maxExpressionDepth {
				return fmt.Errorf("the expression has more than %d brackets inside each other (character %d of the expression)",
					maxExpressionDepth, utf8.RuneCountInString(source[:i])+1)
			}
		case c == ')' || c == ']' || c == '}':
			depth--
		}
	}
	return nil
}

// plainExpressionError replaces the excerpt of the source in an error of expr with
// the position, counted from 1: the reader has the mapping file.
func plainExpressionError(err error) error {
	var at *file.Error
	if !errors.As(err, &at) {
		return err
	}
	place := fmt.Sprintf("character %d of the expression", at.Column+1)
	if at.Line > 1 {
		place = fmt.Sprintf("line %d, %s", at.Line, place)
	}
	return fmt.Errorf("%s (%s)", at.Message, place)
}

// run evaluates the expression for one row. A missing cell is blank.
func (e *expression) run(cells []Cell) (any, error) {
	for _, column := range e.columns {
		text := chars.Trim(cellAt(cells, column).Text)
		if slices.Contains(e.missing, text) {
			text = ""
		}
		e.texts[columnName(column)] = text
	}
	result, err := e.machine.Run(e.program, e.texts)
	if err != nil {
		return nil, plainRunError(err)
	}
	return result, nil
}

// plainRunError removes the position: the reader has the row, not the mapping. What it
// quotes from a cell is made short and printable.
func plainRunError(err error) error {
	message := err.Error()
	var at *file.Error
	if errors.As(err, &at) {
		message = at.Message
	}
	return errors.New(chars.Clip(chars.Collapse(strings.ToValidUTF8(message, string(utf8.RuneError)))))
}

// text returns the expression's result for a row as text, numbers without an exponent.
// nil is blank.
func (e *expression) text(cells []Cell) (string, error) {
	result, err := e.run(cells)
	if err != nil {
		return "", err
	}
	switch r := result.(type) {
	case nil:
		return "", nil
	case string:
		return r, nil
	case int:
		return strconv.Itoa(r), nil
	case float64:
		return strconv.FormatFloat(r, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("the result is not text but a %T", result)
}

// holds returns a condition's result for a row.
func (e *expression) holds(cells []Cell) (bool, error) {
	result, err := e.run(cells)
	if err != nil {
		return false, err
	}
	return result.(bool), nil // guaranteed by expr.AsBool
}

// wordScan finds the words of an expression that are not columns: the variables of
// let, and the names of functions.
type wordScan struct {
	local  map[string]bool
	called map[ast.Node]bool
}

// Visit is called by expr for each node.
func (w *wordScan) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode:
		w.local[n.Name] = true
	case *ast.CallNode:
		w.called[n.Callee] = true
	}
}

// columnPatch replaces each col("Header") and each bare word with the column that has
// this header, and keeps the first mistake.
type columnPatch struct {
	source file.Source
	header []string
	words  *wordScan
	used   []int
	err    error
}

// Visit is called by expr for each node, for the arguments of a call before the call.
func (p *columnPatch) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if !p.words.called[n] && !p.words.local[n.Value] {
			p.replace(node, n.Value)
		}
	case *ast.CallNode:
		p.visitCall(node, n)
	}
}

func (p *columnPatch) visitCall(node *ast.Node, call *ast.CallNode) {
	callee, ok := call.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value == familyNameFunction || callee.Value == givenNameFunction {
		return
	}
	if callee.Value != columnFunction {
		p.fail(*node, unknownFunction(callee.Value))
		return
	}
	if len(call.Arguments) == 1 {
		if name, ok := call.Arguments[0].(*ast.StringNode); ok {
			p.replace(node, name.Value)
			return
		}
	}
	p.fail(*node, `col takes one header in quotes, as in col("Last Name")`)
}

// replace replaces a node with the column that has the given header.
func (p *columnPatch) replace(node *ast.Node, header string) {
	column, err := FindColumn(p.header, header)
	if err != nil {
		p.fail(*node, err.Error())
		return
	}
	if !slices.Contains(p.used, column) {
		p.used = append(p.used, column)
	}
	ast.Patch(node, &ast.IdentifierNode{Value: columnName(column)})
}

func (p *columnPatch) fail(node ast.Node, message string) {
	if p.err == nil {
		at := &file.Error{Location: node.Location(), Message: message}
		p.err = plainExpressionError(at.Bind(p.source))
	}
}

func unknownFunction(name string) string {
	known := slices.DeleteFunc(slices.Clone(builtin.Names), func(n string) bool { return n == clockFunction })
	return "there is no function " + chars.Quote(name) + chars.Hint(name, append(known, columnFunction, familyNameFunction, givenNameFunction), "")
}

// onlyColumn returns the column that the expression reads when it reads just one,
// and NoColumn otherwise.
func (e *expression) onlyColumn() int {
	if len(e.columns) == 1 {
		return e.columns[0]
	}
	return NoColumn
}
