//! Cuts a WebAssembly program in two by what ran in it: a first half, which starts at once, and a
//! second one, fetched when the first half calls into it or before. Not how the halves are loaded:
//! `tools/xtask/src/worker.rs` says so.
//!
//! Both halves share memory, tables and globals. A function that went to the second half leaves a
//! stub, which sees to it that the second half is there and calls it through a table of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use walrus::ir::{MemArg, Store, StoreKind, Value};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, FunctionKind,
    GlobalKind, ImportedFunction, Module, ModuleConfig, RefType, TableId, ValType,
};

const USAGE: &str = "usage: podlab-cut mark IN OUT         each function notes in memory that it ran
       podlab-cut cut IN RAN FIRST SECOND IMPORT   RAN holds a byte for each function: not 0 if it did
IMPORT is the module of the function `fill`, which puts the second half in place.";

/// Where a marked program's notes begin.
const NOTES: &str = "notes";
/// What the second half imports everything from: the first half's exports.
const FIRST: &str = "first";
/// The table of the second half's functions; only the stubs call through it.
const TABLE: &str = "second";
/// 1 once the second half is in place.
const FILLED: &str = "filled";

const PAGE: u64 = 1 << 16;

type Done<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["mark", from, to] => mark(from, to),
        ["cut", from, ran, first, second, import] => cut(from, ran, [first, second], import),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &str) -> Done<Module> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    ModuleConfig::new().parse(&bytes).map_err(|error| format!("{path}: {error:#}"))
}

fn write(module: &mut Module, path: &str) -> Done {
    module.emit_wasm_file(path).map_err(|error| format!("{path}: {error:#}"))
}

/// The functions with code, in the order they have in the file.
fn local(module: &Module) -> Vec<FunctionId> {
    module.funcs.iter_local().map(|(id, _)| id).collect()
}

/// Gives the memory pages that no allocator knows of: the notes are at their beginning.
fn mark(from: &str, to: &str) -> Done {
    let mut module = read(from)?;
    let functions = local(&module);
    let memory = module.memories.iter().next().ok_or("there is no memory")?.id();
    let pages = module.memories.get(memory).initial;
    module.memories.get_mut(memory).initial = pages + functions.len() as u64 / PAGE + 1;
    let offset = pages * PAGE;
    let at = ConstExpr::Value(Value::I32(i32::try_from(offset).map_err(|_| "memory is full")?));
    let notes = module.globals.add_local(ValType::I32, false, false, at);
    module.exports.add(NOTES, notes);
    for (n, id) in (0..).zip(functions) {
        let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
        let (kind, arg) = (StoreKind::I32_8 { atomic: false }, MemArg { align: 1, offset });
        let mut body = function.builder_mut().func_body();
        body.const_at(0, Value::I32(n)).const_at(1, Value::I32(1));
        body.instr_at(2, Store { memory, kind, arg });
    }
    write(&mut module, to)
}

fn cut(from: &str, ran: &str, [first, second]: [&str; 2], import: &str) -> Done {
    let ran = std::fs::read(ran).map_err(|error| format!("{ran}: {error}"))?;
    let mut probe = read(from)?;
    if ran.len() < probe.funcs.iter_local().count() || ran.iter().all(|&n| n == 0) {
        return Err("what ran is not of this program".to_owned());
    }
    let named: BTreeSet<FunctionId> = exported(&probe).chain(probe.start).collect();
    let idle = local(&probe).into_iter().zip(&ran).filter(|(_, ran)| **ran == 0);
    let idle: Vec<FunctionId> = idle.map(|(id, _)| id).filter(|id| !named.contains(id)).collect();
    let moved: BTreeSet<usize> = idle.iter().map(|id| id.index()).collect();
    // What only the second half calls needs no stub: a first cut shows which.
    stubs(&mut probe, &idle, import);
    walrus::passes::gc::run(&mut probe);
    let left = probe.funcs.iter().map(|function| function.id().index());
    let called: BTreeSet<usize> = left.filter(|index| moved.contains(index)).collect();
    let needed = write_second(read(from)?, &moved, &called, second)?;
    write_first(read(from)?, &called, &needed, first, import)
}

/// The functions of those numbers. A number means the same in each reading of a file, an id not.
fn of(module: &Module, numbers: &BTreeSet<usize>) -> Vec<FunctionId> {
    let ids = module.funcs.iter().map(walrus::Function::id);
    ids.filter(|id| numbers.contains(&id.index())).collect()
}

fn exported(module: &Module) -> impl Iterator<Item = FunctionId> {
    module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) => Some(id),
        _ => None,
    })
}

/// Puts a stub in the place of each function: its slot is its place in the list.
fn stubs(module: &mut Module, functions: &[FunctionId], import: &str) -> TableId {
    let n = functions.len() as u64;
    let table = module.tables.add_local(false, n, Some(n), RefType::FUNCREF);
    module.exports.add(TABLE, table);
    let zero = ConstExpr::Value(Value::I32(0));
    let filled = module.globals.add_local(ValType::I32, true, false, zero);
    module.exports.add(FILLED, filled);
    let nothing = module.types.add(&[], &[]);
    let (fill, _) = module.add_import_func(import, "fill", nothing);
    let mut ensure = FunctionBuilder::new(&mut module.types, &[], &[]);
    ensure.func_body().global_get(filled).if_else(
        None,
        |_| {},
        |missing| {
            missing.call(fill);
        },
    );
    let ensure = ensure.finish(vec![], &mut module.funcs);
    for (slot, &id) in (0..).zip(functions) {
        let ty = module.funcs.get(id).ty();
        let (params, results) = module.types.params_results(ty);
        let (params, results) = (params.to_vec(), results.to_vec());
        let args: Vec<_> = params.iter().map(|param| module.locals.add(*param)).collect();
        let mut stub = FunctionBuilder::new(&mut module.types, &params, &results);
        let mut body = stub.func_body();
        body.call(ensure);
        for arg in &args {
            body.local_get(*arg);
        }
        body.i32_const(slot).call_indirect(ty, table);
        module.funcs.get_mut(id).kind = FunctionKind::Local(stub.local_func(args));
    }
    table
}

/// All that a half can take from the other, by the name it does so under.
fn parts(module: &Module) -> BTreeMap<String, ExportItem> {
    let functions =
        module.funcs.iter().map(|one| (format!("f{}", one.id().index()), one.id().into()));
    let memories =
        module.memories.iter().map(|one| (format!("m{}", one.id().index()), one.id().into()));
    let tables =
        module.tables.iter().map(|one| (format!("t{}", one.id().index()), one.id().into()));
    let globals =
        module.globals.iter().map(|one| (format!("g{}", one.id().index()), one.id().into()));
    functions.chain(memories).chain(tables).chain(globals).collect()
}

/// Writes what was `moved`; all else comes from the first half. Answers with the names of it.
fn write_second(
    mut module: Module,
    moved: &BTreeSet<usize>,
    called: &BTreeSet<usize>,
    path: &str,
) -> Done<BTreeSet<String>> {
    for id in module.exports.iter().map(walrus::Export::id).collect::<Vec<_>>() {
        module.exports.delete(id);
    }
    for id in module.imports.iter().map(walrus::Import::id).collect::<Vec<_>>() {
        module.imports.delete(id);
    }
    for id in module.elements.iter().map(walrus::Element::id).collect::<Vec<_>>() {
        module.elements.delete(id);
    }
    for id in module.data.iter().map(walrus::Data::id).collect::<Vec<_>>() {
        module.data.delete(id);
    }
    module.start = None;
    for (name, item) in parts(&module) {
        match item {
            ExportItem::Function(id) if moved.contains(&id.index()) => {}
            ExportItem::Function(id) => {
                let (ty, import) =
                    (module.funcs.get(id).ty(), module.imports.add(FIRST, &name, id));
                let kind = FunctionKind::Import(ImportedFunction { import, ty });
                module.funcs.get_mut(id).kind = kind;
            }
            ExportItem::Memory(id) => {
                let import = module.imports.add(FIRST, &name, id);
                module.memories.get_mut(id).import = Some(import);
                module.memories.get_mut(id).data_segments.clear();
            }
            ExportItem::Table(id) => {
                let import = module.imports.add(FIRST, &name, id);
                module.tables.get_mut(id).import = Some(import);
                module.tables.get_mut(id).elem_segments.clear();
            }
            ExportItem::Global(id) => {
                let import = module.imports.add(FIRST, &name, id);
                module.globals.get_mut(id).kind = GlobalKind::Import(import);
            }
            ExportItem::Tag(_) => return Err("tags are not shared".to_owned()),
        }
    }
    let n = called.len() as u64;
    let (table, _) = module.add_import_table(FIRST, TABLE, false, n, Some(n), RefType::FUNCREF);
    let kind = ElementKind::Active { table, offset: ConstExpr::Value(Value::I32(0)) };
    let functions = ElementItems::Functions(of(&module, called));
    let element = module.elements.add(kind, functions);
    module.tables.get_mut(table).elem_segments.insert(element);
    walrus::passes::gc::run(&mut module);
    write(&mut module, path)?;
    let names = module.imports.iter().map(|import| import.name.clone());
    Ok(names.filter(|name| name != TABLE).collect())
}

/// Writes all but what was moved, with stubs for what of it is `called` from here.
fn write_first(
    mut module: Module,
    called: &BTreeSet<usize>,
    needed: &BTreeSet<String>,
    path: &str,
    import: &str,
) -> Done {
    for (name, item) in parts(&module).into_iter().filter(|(name, _)| needed.contains(name)) {
        module.exports.add(&name, item);
    }
    let called = of(&module, called);
    stubs(&mut module, &called, import);
    walrus::passes::gc::run(&mut module);
    write(&mut module, path)
}
