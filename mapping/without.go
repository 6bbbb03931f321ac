package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	exprparser "github.com/expr-lang/expr/parser"

	"opscom-import/mapping/internal/chars"
)

// Without says which rows are left out by one column: those in which it has one of the
// values. A blank value stands for a blank cell.
type Without struct {
	Column string // as FindColumn finds it
	Values []string
}

// WhereWithout writes the where of a mapping that leaves these rows out, "" for one that
// leaves out none:
//
//	col("Status") not in ["Withdrawn", ""] and col("Type") not in ["Alumni"]
func WhereWithout(list []Without) string {
	var terms []string
	for _, l := range list {
		if len(l.Values) == 0 {
			continue
		}
		quoted := make([]string, len(l.Values))
		for i, value := range l.Values {
			quoted[i] = strconv.Quote(value)
		}
		terms = append(terms, columnFunction+"("+strconv.Quote(l.Column)+") not in ["+strings.Join(quoted, ", ")+"]")
	}
	return strings.Join(terms, " and ")
}

// maxWhere is the longest where that WithoutOf reads, in bytes: much longer than one
// that may be compiled.
const maxWhere = 1 << 16

// WithoutOf reads a where as WhereWithout writes it. It is not ok for any other, whose
// meaning cannot be said as a list.
func WithoutOf(where string) (list []Without, ok bool) {
	if strings.TrimSpace(where) == "" {
		return nil, true
	}
	if len(where) > maxWhere || strings.Count(where, "(") > maxExpressionNodes {
		return nil, false
	}
	tree, err := exprparser.Parse(where)
	if err != nil {
		return nil, false
	}
	return withoutOf(tree.Node, nil)
}

// withoutOf reads terms that are joined by "and", in their order.
func withoutOf(node ast.Node, list []Without) ([]Without, bool) {
	if both, ok := node.(*ast.BinaryNode); ok && (both.Operator == "and" || both.Operator == "&&") {
		list, ok := withoutOf(both.Left, list)
		if !ok {
			return nil, false
		}
		return withoutOf(both.Right, list)
	}
	not, ok := node.(*ast.UnaryNode)
	if !ok || not.Operator != "not" && not.Operator != "!" {
		return nil, false
	}
	in, ok := not.Node.(*ast.BinaryNode)
	if !ok || in.Operator != "in" {
		return nil, false
	}
	column, ok := columnRead(in.Left)
	if !ok || slices.ContainsFunc(list, func(l Without) bool { return l.Column == column }) {
		return nil, false
	}
	values, ok := in.Right.(*ast.ArrayNode)
	if !ok {
		return nil, false
	}
	l := Without{Column: column}
	for _, node := range values.Nodes {
		value, ok := node.(*ast.StringNode)
		if !ok {
			return nil, false
		}
		l.Values = append(l.Values, value.Value)
	}
	return append(list, l), true
}

// columnRead returns the header in col("Header").
func columnRead(node ast.Node) (string, bool) {
	call, ok := node.(*ast.CallNode)
	if !ok || len(call.Arguments) != 1 {
		return "", false
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != columnFunction {
		return "", false
	}
	header, ok := call.Arguments[0].(*ast.StringNode)
	if !ok {
		return "", false
	}
	return header.Value, true
}

// Filter says which rows a where keeps. It is for one goroutine at a time.
type Filter struct{ where *expression }

// NewFilter compiles the where of a source for a table with this header.
func NewFilter(source SourceSection, header []string) (*Filter, error) {
	if source.Where == "" {
		return &Filter{}, nil
	}
	where, err := newCondition(source.Where, header)
	if err != nil {
		return nil, fmt.Errorf("which rows are used: %w", err)
	}
	return &Filter{where}, nil
}

// Keeps reports whether the where keeps a row. As in Mapper.Map, a row for which it has no
// result is kept.
func (f *Filter) Keeps(cells []Cell) bool {
	if f.where == nil || firstBroken(cells, f.where.columns) != NoColumn {
		return true
	}
	keeps, err := f.where.holds(cells)
	return keeps || err != nil
}

// ValueOf returns the text by which a where compares a cell: without white space around
// it; "" for a row that does not have the cell.
func ValueOf(cells []Cell, column int) string { return chars.Trim(cellAt(cells, column).Text) }
