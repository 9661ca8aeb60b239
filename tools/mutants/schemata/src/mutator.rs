//! Finds places for mistakes in a source, and puts them there.

use crate::conditions::Conditions;
use proc_macro2::{LineColumn, Span};
use std::collections::BTreeSet;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, BinOp, Expr, ImplItem, Item, Lit, ReturnType, Stmt, TraitItem, Type, UnOp};

pub struct Mistake {
    pub number: usize,
    pub place: LineColumn,
    pub original: String,
    pub changed: String,
}

pub struct Rewritten {
    pub text: String,
    pub mistakes: Vec<Mistake>,
}

/// The source with its mistakes, which have numbers from `next` on.
pub fn rewritten(
    source: &str,
    conditions: &Conditions,
    excluded: &BTreeSet<usize>,
    next: &mut usize,
) -> syn::Result<Rewritten> {
    let parsed = syn::parse_file(source)?;
    let mut mutator = Mutator { source, conditions, excluded, next, insertions: Vec::new(), mistakes: Vec::new() };
    if conditions.keep(&parsed.attrs) {
        mutator.visit_file(&parsed);
    }
    Ok(mutator.finished())
}

/// Text for a place of the source. Several can be for the same: `length`, that of the code around which this is, says
/// in which order.
struct Insertion {
    at: usize,
    side: Side,
    length: usize,
    text: String,
}

#[derive(PartialEq)]
enum Side {
    Behind,
    InFront,
}

struct Mutator<'a> {
    source: &'a str,
    conditions: &'a Conditions,
    excluded: &'a BTreeSet<usize>,
    next: &'a mut usize,
    insertions: Vec<Insertion>,
    mistakes: Vec<Mistake>,
}

impl Mutator<'_> {
    fn text(&self, spanned: &impl Spanned) -> &str {
        &self.source[spanned.span().byte_range()]
    }

    /// The number of a new mistake, unless it is one of those that are excluded.
    fn number(&mut self, place: LineColumn, original: &str, changed: &str) -> Option<usize> {
        let number = *self.next;
        *self.next += 1;
        if self.excluded.contains(&number) {
            return None;
        }
        let (original, changed) = (on_one_line(original), on_one_line(changed));
        self.mistakes.push(Mistake { number, place, original, changed });
        Some(number)
    }

    fn wrap(&mut self, range: Range<usize>, before: String, after: &str) {
        let length = range.len();
        self.insertions.push(Insertion { at: range.start, side: Side::InFront, length, text: before });
        self.insertions.push(Insertion { at: range.end, side: Side::Behind, length, text: after.to_string() });
    }

    /// The expression at `span` may be `changed` instead.
    fn either(&mut self, span: Span, changed: &str) {
        let range = span.byte_range();
        let original = &self.source[range.clone()];
        if let Some(number) = self.number(span.start(), original, changed) {
            let changed = without_comments(changed);
            self.wrap(range, format!("(if crate::mutants::on({number}) {{ {changed} }} else {{ "), " })");
        }
    }

    fn negated(&mut self, condition: &Expr) {
        if is_condition(condition) {
            let changed = format!("!({})", self.text(condition));
            self.either(condition.span(), &changed);
        }
    }

    /// The statement may be missing.
    fn maybe(&mut self, span: Span) {
        let range = span.byte_range();
        let original = &self.source[range.clone()];
        if let Some(number) = self.number(span.start(), original, "") {
            self.wrap(range, format!("if !crate::mutants::on({number}) {{ "), " }");
        }
    }

    /// The function may return at once.
    fn returns(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if block.stmts.is_empty() {
            return;
        }
        let at = block.brace_token.span.open().byte_range().end;
        let original = format!("fn {}", signature.ident);
        for value in values(&signature.output) {
            let changed = format!("return {value}");
            if let Some(number) = self.number(signature.ident.span().start(), &original, &changed) {
                let text = format!(" if crate::mutants::on({number}) {{ {changed}; }} ");
                self.insertions.push(Insertion { at, side: Side::Behind, length: usize::MAX, text });
            }
        }
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        if signature.constness.is_none() {
            self.returns(signature, block);
            self.visit_block(block);
        }
    }

    fn finished(mut self) -> Rewritten {
        // At one place: what ends before what begins, of those that end the inner ones first, of those that begin the
        // outer ones. (The sort keeps the order of what is alike.)
        self.insertions.sort_by_key(|one| match one.side {
            Side::Behind => (one.at, 0, one.length),
            Side::InFront => (one.at, 1, usize::MAX - one.length),
        });
        let (mut text, mut done) = (String::new(), 0);
        for one in &self.insertions {
            text.push_str(&self.source[done..one.at]);
            text.push_str(&one.text);
            done = one.at;
        }
        text.push_str(&self.source[done..]);
        Rewritten { text, mistakes: self.mistakes }
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same on one line, so that lines stay where they are. (A string with `//` in it does not survive, and the
/// compiler finds that.)
fn without_comments(text: &str) -> String {
    text.split('\n').map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join(" ")
}

/// What a function may return at once.
fn values(output: &ReturnType) -> &'static [&'static str] {
    let ReturnType::Type(_, returned) = output else { return &[""] };
    let Type::Path(path) = &**returned else { return &[] };
    match path.path.segments.last().map(|last| last.ident.to_string()).as_deref() {
        Some("bool") => &["true", "false"],
        Some("Option") => &["None"],
        Some("c_int" | "i32" | "usize" | "u32" | "u64" | "i64" | "isize") => &["0", "1"],
        _ => &[],
    }
}

fn others(op: &BinOp) -> &'static [&'static str] {
    match op {
        BinOp::Lt(_) => &["<=", ">="],
        BinOp::Le(_) => &["<", ">"],
        BinOp::Gt(_) => &[">=", "<="],
        BinOp::Ge(_) => &[">", "<"],
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::Add(_) => &["-"],
        BinOp::Sub(_) => &["+"],
        BinOp::Mul(_) => &["+"],
        BinOp::Div(_) => &["*"],
        BinOp::Rem(_) => &["/"],
        BinOp::BitAnd(_) => &["|"],
        BinOp::BitOr(_) => &["&"],
        BinOp::BitXor(_) => &["|"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        BinOp::AddAssign(_) => &["-="],
        BinOp::SubAssign(_) => &["+="],
        BinOp::BitOrAssign(_) => &["&="],
        BinOp::BitAndAssign(_) => &["|="],
        _ => &[],
    }
}

/// Whether `!` before it is a mistake of its own: comparisons and the like have theirs.
fn is_condition(expr: &Expr) -> bool {
    matches!(expr, Expr::Call(_) | Expr::MethodCall(_) | Expr::Field(_) | Expr::Path(_) | Expr::Macro(_))
}

/// Whether a chain of conditions binds names, which then cannot be in parentheses.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(both) => has_let(&both.left) || has_let(&both.right),
        _ => false,
    }
}

fn attributes_of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        _ => &[],
    }
}

fn attributes_of_statement(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Expr(expr, _) => attributes_of_expression(expr),
        Stmt::Macro(call) => &call.attrs,
        Stmt::Item(_) => &[],
    }
}

fn attributes_of_expression(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Assign(expr) => &expr.attrs,
        Expr::Binary(expr) => &expr.attrs,
        Expr::Block(expr) => &expr.attrs,
        Expr::Call(expr) => &expr.attrs,
        Expr::ForLoop(expr) => &expr.attrs,
        Expr::If(expr) => &expr.attrs,
        Expr::Match(expr) => &expr.attrs,
        Expr::MethodCall(expr) => &expr.attrs,
        Expr::Return(expr) => &expr.attrs,
        Expr::Try(expr) => &expr.attrs,
        Expr::Unsafe(expr) => &expr.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Mutator<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let constant = matches!(item, Item::Const(_) | Item::Static(_) | Item::Enum(_) | Item::Macro(_));
        if !constant && self.conditions.keep(attributes_of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if let ImplItem::Fn(item) = item
            && self.conditions.keep(&item.attrs)
        {
            self.function(&item.sig, &item.block);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if let TraitItem::Fn(item) = item
            && self.conditions.keep(&item.attrs)
            && let Some(block) = &item.default
        {
            self.function(&item.sig, block);
        }
    }

    // Places for constants and names only, except for the guard of an arm.
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
    fn visit_pat(&mut self, pat: &'ast syn::Pat) {
        if let syn::Pat::Guard(guarded) = pat {
            self.negated(&guarded.guard);
            self.visit_expr(&guarded.guard);
        }
    }
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_expr_repeat(&mut self, expr: &'ast syn::ExprRepeat) {
        self.visit_expr(&expr.expr);
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if !self.conditions.keep(attributes_of_statement(statement)) {
            return;
        }
        if let Stmt::Expr(expr, Some(_)) = statement
            && matches!(expr, Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) | Expr::Binary(_) | Expr::Try(_))
        {
            self.maybe(statement.span());
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if self.conditions.keep(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.negated(&expr.cond);
        visit::visit_expr_if(self, expr);
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        if !has_let(&expr.left) && !has_let(&expr.right) {
            let (left, right) = (self.text(&expr.left).to_string(), self.text(&expr.right).to_string());
            for other in others(&expr.op) {
                self.either(expr.span(), &format!("{left} {other} {right}"));
            }
        }
        if matches!(expr.op, BinOp::And(_) | BinOp::Or(_)) {
            self.negated(&expr.left);
            self.negated(&expr.right);
        }
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        if matches!(expr.op, UnOp::Not(_)) {
            let changed = self.text(&expr.expr).to_string();
            self.either(expr.span(), &changed);
        }
        // The sign belongs to the number.
        if !matches!(expr.op, UnOp::Neg(_)) {
            visit::visit_expr_unary(self, expr);
        }
    }

    fn visit_expr_lit(&mut self, expr: &'ast syn::ExprLit) {
        match &expr.lit {
            Lit::Int(number) => {
                if let Ok(value) = number.base10_parse::<u64>() {
                    self.either(expr.span(), &format!("{}{}", value.wrapping_add(1), number.suffix()));
                }
            }
            Lit::Bool(truth) => self.either(expr.span(), if truth.value { "false" } else { "true" }),
            _ => {}
        }
    }
}
