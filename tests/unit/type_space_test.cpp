// Defined types: when two are the same, and which match which.
#include "interp/type_space.hpp"

#include <catch2/catch_test_macros.hpp>

namespace chiwawa {

namespace {

TypeDef structure(std::vector<FieldType> fields, std::vector<uint32_t> supers = {}, bool is_final = true) {
  TypeDef type;
  type.kind = TypeDef::Kind::Struct;
  type.fields = std::move(fields);
  type.supers = std::move(supers);
  type.is_final = is_final;
  return type;
}

TypeDef array(FieldType element) {
  TypeDef type;
  type.kind = TypeDef::Kind::Array;
  type.fields = {element};
  return type;
}

TypeDef function(std::vector<ValType> params, std::vector<ValType> results) {
  TypeDef type;
  type.func = {std::move(params), std::move(results)};
  return type;
}

ValType ref(uint32_t index) { return defined_ref(index, false); }
ValType ref_null(uint32_t index) { return defined_ref(index, true); }

std::vector<uint32_t> add_all(TypeSpace& to, const TypeSpace& from) {
  std::vector<uint32_t> ids;
  for (uint32_t i = 0; i < from.size(); i = from[i].group_end) to.add_equal(from, i, ids);
  return ids;
}

}  // namespace

TEST_CASE("type_space: Rec groups are equal as wholes") {
  TypeSpace types;
  types.add_group({structure({})});                     // 0
  types.add_group({structure({})});                     // 1: the same
  types.add_group({structure({}), structure({})});      // 2, 3: others than 0, and than each other
  types.add_group({structure({}), structure({})});      // 4, 5: the same as 2, 3
  types.add_group({structure({{ref_null(6), true}})});  // 6: refers to itself
  types.add_group({structure({{ref_null(7), true}})});  // 7: the same
  types.add_group({structure({{ref_null(6), true}})});  // 8: refers to 6, which is another
  types.add_group({structure({{ref_null(7), true}})});  // 9: the same as 8
  types.add_group({structure({{ref(11), false}}), array({ref(10), false})});  // 10, 11
  types.add_group({structure({{ref(13), false}}), array({ref(12), false})});  // 12, 13: the same
  types.add_group({structure({{ref(15), false}}), array({ref(12), false})});  // 14, 15: refers to 12 outside
  types.add_group({structure({}, {}, false)});                                // 16: not final
  types.add_group({structure({{ValType::I8, true}})});                        // 17
  types.add_group({structure({{ValType::I8, false}})});                       // 18
  types.add_group({array({ValType::I8, true})});                              // 19
  types.add_group({});
  const auto same = [&](uint32_t a, uint32_t b) { return types.canonical(a) == types.canonical(b); };
  CHECK(same(0, 1));
  CHECK_FALSE(same(0, 2));
  CHECK_FALSE(same(2, 3));
  CHECK(same(2, 4));
  CHECK(same(3, 5));
  CHECK_FALSE(same(2, 5));
  CHECK(same(6, 7));
  CHECK_FALSE(same(6, 8));
  CHECK(same(8, 9));
  CHECK(same(10, 12));
  CHECK(same(11, 13));
  CHECK_FALSE(same(10, 14));
  CHECK_FALSE(same(11, 15));
  CHECK_FALSE(same(0, 16));
  CHECK_FALSE(same(17, 18));
  CHECK_FALSE(same(17, 19));
  CHECK(types.size() == 20);
}

TEST_CASE("type_space: Abstract references match along their hierarchies") {
  using enum ValType;
  TypeSpace types;
  types.add_group({structure({})});
  types.add_group({array({I32, false})});
  types.add_group({function({}, {})});
  const std::vector<std::vector<ValType>> chains = {{NoneRef, I31Ref, EqRef, AnyRef},
                                                    {NoneRef, ref_null(0), StructRef, EqRef, AnyRef},
                                                    {NoneRef, ref_null(1), ArrayRef, EqRef, AnyRef},
                                                    {NoFuncRef, ref_null(2), FuncRef},
                                                    {NoExternRef, ExternRef},
                                                    {NoExnRef, ExnRef}};
  for (const auto& chain : chains) {
    for (size_t i = 0; i < chain.size(); ++i) {
      CHECK(types.top(chain[i]) == chain.back());
      CHECK(types.bottom(non_null(chain[i])) == chain[0]);
      for (size_t j = 0; j < chain.size(); ++j) {
        INFO(name(chain[i]) << ", " << name(chain[j]));
        CHECK(types.matches(chain[i], chain[j]) == (i <= j));
        CHECK(types.matches(non_null(chain[i]), chain[j]) == (i <= j));
        CHECK(types.matches(non_null(chain[i]), non_null(chain[j])) == (i <= j));
        CHECK_FALSE(types.matches(chain[i], non_null(chain[j])));
      }
      CHECK(types.matches(kBottomRef, non_null(chain[i])));
      CHECK_FALSE(types.matches(chain[i], kBottomRef));
    }
  }
  // Between hierarchies, and between siblings.
  for (const auto& [a, b] : std::vector<std::pair<ValType, ValType>>{{ref(0), ref(1)},
                                                                     {ref(0), ArrayRef},
                                                                     {ref(1), StructRef},
                                                                     {ref(2), EqRef},
                                                                     {I31Ref, StructRef},
                                                                     {FuncRef, AnyRef},
                                                                     {ExternRef, AnyRef},
                                                                     {NoneRef, FuncRef},
                                                                     {NoFuncRef, ref_null(0)},
                                                                     {NoneRef, ref_null(2)},
                                                                     {ExnRef, AnyRef},
                                                                     {I32, AnyRef},
                                                                     {I32, I64},
                                                                     {ref(0), I31Ref}}) {
    INFO(name(a) << ", " << name(b));
    CHECK_FALSE(types.matches(a, b));
    CHECK_FALSE(types.matches(b, a));
  }
}

TEST_CASE("type_space: Subtypes are declared") {
  using enum ValType;
  TypeSpace types;
  types.add_group({structure({{I32, false}}, {}, false)});                     // 0
  types.add_group({structure({{I32, false}, {I64, true}}, {0}, false)});       // 1 <: 0
  types.add_group({structure({{I32, false}, {I64, true}, {I8, true}}, {1})});  // 2 <: 1
  types.add_group({structure({{I32, false}, {I64, true}}, {}, false)});        // 3: alike, but not declared
  types.add_group({structure({{I32, false}, {I64, true}}, {0}, false)});       // 4: the same as 1
  CHECK(types.matches(ref(2), ref(0)));
  CHECK(types.matches(ref(2), ref_null(4)));
  CHECK(types.matches(ref(4), ref(0)));
  CHECK_FALSE(types.matches(ref(0), ref(1)));
  CHECK_FALSE(types.matches(ref(3), ref(0)));
  CHECK_FALSE(types.matches(ref(2), ref(3)));

  // Fields: immutable ones are covariant, mutable ones are invariant.
  CHECK(types.matches(FieldType{ref(2), false}, FieldType{ref(0), false}));
  CHECK_FALSE(types.matches(FieldType{ref(0), false}, FieldType{ref(2), false}));
  CHECK_FALSE(types.matches(FieldType{ref(2), true}, FieldType{ref(0), true}));
  CHECK(types.matches(FieldType{ref(1), true}, FieldType{ref(4), true}));
  CHECK_FALSE(types.matches(FieldType{I8, false}, FieldType{I16, false}));
  CHECK_FALSE(types.matches(FieldType{I32, true}, FieldType{I32, false}));
  // Functions: parameters the other way round.
  CHECK(types.matches(FuncType{{ref(0)}, {ref(2)}}, FuncType{{ref(2)}, {ref(0)}}));
  CHECK_FALSE(types.matches(FuncType{{ref(2)}, {}}, FuncType{{ref(0)}, {}}));
  CHECK_FALSE(types.matches(FuncType{{}, {ref(0)}}, FuncType{{}, {ref(2)}}));
  CHECK_FALSE(types.matches(FuncType{{I32}, {}}, FuncType{{I32, I32}, {}}));
}

TEST_CASE("type_space: Equal types of several modules come together") {
  TypeSpace one, two, store;
  one.add_group({function({ValType::I32}, {})});                                         // 0
  one.add_group({structure({{ref_null(2), true}}, {}, false), array({ref(1), false})});  // 1, 2
  one.add_group({structure({{ref_null(2), true}, {ref(0), false}}, {1})});               // 3
  two.add_group({structure({})});                                                        // 0: only here
  two.add_group({structure({{ref_null(2), true}}, {}, false), array({ref(1), false})});  // 1, 2
  two.add_group({function({ValType::I32}, {})});                                         // 3
  two.add_group({structure({{ref_null(2), true}, {ref(3), false}}, {1})});               // 4
  two.add_group({structure({{ref_null(2), true}, {ref(3), true}}, {1})});                // 5: another field
  const std::vector<uint32_t> first = add_all(store, one);
  CHECK(first == std::vector<uint32_t>{0, 1, 2, 3});
  const std::vector<uint32_t> second = add_all(store, two);
  CHECK(second == std::vector<uint32_t>{4, 1, 2, 0, 3, 5});
  CHECK(store.size() == 6);
  CHECK(add_all(store, two) == second);
  CHECK(store.size() == 6);
  // References are by the store's numbers.
  CHECK(store[5].fields[1].storage == ref(0));
  CHECK(store[5].supers == std::vector<uint32_t>{1});
  CHECK(store.matches(ref(second[5]), ref(first[1])));
  CHECK_FALSE(store.matches(ref(second[5]), ref(first[3])));
  CHECK(TypeSpace::renumber(ref_null(4), second) == ref_null(3));
  CHECK(TypeSpace::renumber(ValType::I64, second) == ValType::I64);
}

}  // namespace chiwawa
