//! awk's instructions that need nothing from outside.

use super::code::{CONVFMT, Op, SUBSEP};
use super::value::Value;
use super::vm::{Cell, Machine};
use std::rc::Rc;

impl Machine {
    /// Arithmetic, comparisons and arrays.
    pub(super) fn operate(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Binary(letter) => {
                let right = self.pop().number();
                let left = self.pop().number();
                let value = arithmetic(*letter, left, right)?;
                self.push(Value::Number(value));
            }
            Op::Compare(name) => {
                let right = self.pop();
                let left = self.pop();
                let holds = self.compare(name, &left, &right);
                self.push(Value::flag(holds));
            }
            Op::Match(negated) => {
                let pattern = self.pop_bytes();
                let text = self.pop_bytes();
                let holds = self.matches(&text, &pattern)?;
                self.push(Value::flag(holds != *negated));
            }
            Op::MatchRecord => {
                let pattern = self.pop_bytes();
                let text = self.whole();
                let holds = self.matches(&text, &pattern)?;
                self.push(Value::flag(holds));
            }
            Op::Not => {
                let holds = self.pop().is_true();
                self.push(Value::flag(!holds));
            }
            Op::Negate => {
                let n = self.pop().number();
                self.push(Value::Number(-n));
            }
            Op::Number => {
                let n = self.pop().number();
                self.push(Value::Number(n));
            }
            Op::Flag => {
                let holds = self.pop().is_true();
                self.push(Value::flag(holds));
            }
            Op::Add(at, by, old) => {
                let n = self.load(*at).number();
                self.store(*at, Value::Number(n + by));
                self.push(Value::Number(if *old { n } else { n + by }));
            }
            Op::AddField(by, old) => {
                let idx = self.pop().number();
                let n = self.field(idx)?.number();
                self.set_field(idx, &Value::Number(n + by))?;
                self.push(Value::Number(if *old { n } else { n + by }));
            }
            Op::Substitute { global, keyed } => self.substitute(*global, *keyed)?,
            _ if self.jump(op) => {}
            _ => self.array_op(op),
        }
        Ok(())
    }

    fn array_op(&mut self, op: &Op) {
        match op {
            Op::ElemLoad(array) => {
                let key = self.pop_bytes();
                let value = self.array(*array).borrow_mut().get(&key);
                self.push(value);
            }
            Op::ElemStore(array) => {
                let value = self.pop();
                let key = self.pop_bytes();
                self.array(*array).borrow_mut().set(&key, value.clone());
                self.push(value);
            }
            Op::AddElem(array, by, old) => {
                let key = self.pop_bytes();
                let array = self.array(*array);
                let n = array.borrow_mut().get(&key).number();
                array.borrow_mut().set(&key, Value::Number(n + by));
                self.push(Value::Number(if *old { n } else { n + by }));
            }
            Op::In(array) => {
                let key = self.pop_bytes();
                let holds = self.array(*array).borrow().has(&key);
                self.push(Value::flag(holds));
            }
            Op::Delete(array) => {
                let key = self.pop_bytes();
                self.array(*array).borrow_mut().remove(&key);
            }
            Op::DeleteAll(array) => self.array(*array).borrow_mut().clear(),
            Op::Keys(n) => {
                let mut parts: Vec<Rc<[u8]>> = (0..*n).map(|_| self.pop_bytes()).collect();
                parts.reverse();
                let joined = parts.join(&self.special(SUBSEP)[..]);
                self.push(Value::text(&joined));
            }
            Op::ForIn(array) => {
                let keys = self.array(*array).borrow().keys();
                self.iterators.push(keys.into_iter());
            }
            Op::ForNext(out) => match self.iterators.last_mut().and_then(Iterator::next) {
                Some(key) => self.push(Value::input(&key)),
                None => self.at = *out,
            },
            Op::ForEnd => drop(self.iterators.pop()),
            Op::Split(array, n) => self.split(*array, *n),
            Op::Length(at) => {
                let length = match self.cell(*at) {
                    Cell::Array(array, _) => array.borrow().len(),
                    _ => {
                        let convfmt = self.special(CONVFMT);
                        self.load(*at).bytes(&convfmt).len()
                    }
                };
                self.push(Value::Number(length as f64));
            }
            _ => {}
        }
    }

    fn compare(&mut self, op: &str, left: &Value, right: &Value) -> bool {
        let order = match (left.numeric(), right.numeric()) {
            (Some(a), Some(b)) => match a.partial_cmp(&b) {
                Some(order) => order,
                None => return op == "!=",
            },
            _ => {
                let convfmt = self.special(CONVFMT);
                left.bytes(&convfmt).cmp(&right.bytes(&convfmt))
            }
        };
        match op {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        }
    }

    /// Jumps; false if it is none.
    fn jump(&mut self, op: &Op) -> bool {
        match op {
            Op::Jump(to) => self.at = *to,
            Op::JumpIf(to) => {
                if self.pop().is_true() {
                    self.at = *to;
                }
            }
            Op::JumpUnless(to) => {
                if !self.pop().is_true() {
                    self.at = *to;
                }
            }
            Op::JumpIfRange(range, to) => {
                if self.ranges.get(*range) == Some(&true) {
                    self.at = *to;
                }
            }
            Op::SetRange(range, open) => {
                if let Some(range) = self.ranges.get_mut(*range) {
                    *range = *open;
                }
            }
            _ => return false,
        }
        true
    }
}

fn arithmetic(op: u8, left: f64, right: f64) -> Result<f64, String> {
    Ok(match op {
        b'+' => left + right,
        b'-' => left - right,
        b'*' => left * right,
        b'^' => left.powf(right),
        _ if right == 0.0 => return Err("Division by zero".to_owned()),
        b'/' => left / right,
        _ => left % right,
    })
}
