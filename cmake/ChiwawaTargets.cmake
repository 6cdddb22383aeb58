# How a folder becomes a target. Folders are globbed, so a new file needs no entry anywhere; a folder or program without
# sources is left out.
#
# Files for one kind of system only carry it in their name: *_posix.cpp (native builds), *_preview1.cpp (wasm builds).

# chiwawa_sources(<variable> <folder>): the folder's *.cpp that this build compiles.
function(chiwawa_sources variable folder)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
  if(CHIWAWA_WASM)
    list(FILTER sources EXCLUDE REGEX "_posix\\.cpp$")
  else()
    list(FILTER sources EXCLUDE REGEX "_preview1\\.cpp$")
  endif()
  set(${variable} ${sources} PARENT_SCOPE)
endfunction()

# chiwawa_library(<name> FOLDER <folder> [LINK <libraries>...]): without exceptions and RTTI.
function(chiwawa_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOLDER" "LINK")
  chiwawa_sources(sources ${arg_FOLDER})
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE chiwawa_core)
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_LINK})
  endif()
endfunction()

# chiwawa_programs(FOLDER <folder> PROGRAMS <names>... [EXCEPT <sources>...] [LINK <libraries>...])
# The source of program a-b is a-b.cpp or a_b.cpp. All other files of the folder, but for <sources>.cpp, form
# a library that every program links.
# Programs use exceptions natively; in wasm builds wasm_exceptions.cpp stands in for the unwinder. All wasm_*.cpp are only there.
function(chiwawa_programs)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "FOLDER" "PROGRAMS;EXCEPT;LINK")
  chiwawa_sources(shared ${arg_FOLDER})
  foreach(source IN LISTS arg_EXCEPT)
    list(FILTER shared EXCLUDE REGEX "/${source}\\.cpp$")
  endforeach()
  # An object of each program's own: what it defines comes before what is in libraries.
  set(own)
  if(CHIWAWA_WASM)
    set(own ${PROJECT_SOURCE_DIR}/${arg_FOLDER}/wasm_absent.cpp)
    list(REMOVE_ITEM shared ${own})
  else()
    list(FILTER shared EXCLUDE REGEX "/wasm_[a-z]*\\.cpp$")
  endif()
  set(available)
  foreach(program IN LISTS arg_PROGRAMS)
    string(REPLACE "-" "[-_]" pattern ${program})
    set(${program}_source ${shared})
    list(FILTER ${program}_source INCLUDE REGEX "/${pattern}\\.cpp$")
    list(FILTER shared EXCLUDE REGEX "/${pattern}\\.cpp$")
    if(${program}_source)
      list(APPEND available ${program})
    endif()
  endforeach()

  set(common chiwawa_strict ${arg_LINK})
  if(shared)
    add_library(chiwawa_tools STATIC ${shared})
    target_link_libraries(chiwawa_tools PUBLIC ${common})
    target_include_directories(chiwawa_tools PUBLIC ${PROJECT_SOURCE_DIR}/${arg_FOLDER})
    # Types of exceptions are known without the rest of RTTI.
    target_compile_options(chiwawa_tools PUBLIC -fexceptions $<$<BOOL:${CHIWAWA_WASM}>:-fno-rtti>)
    set(common chiwawa_tools)
  endif()
  foreach(program IN LISTS available)
    add_executable(${program} ${${program}_source} ${own})
    target_link_libraries(${program} PRIVATE ${common})
    chiwawa_smaller_program(${program})
  endforeach()
  set_property(GLOBAL PROPERTY CHIWAWA_PROGRAMS ${available})
endfunction()

# chiwawa_benchmark(<name> FOLDER <folder>): micro-benchmarks, when there are sources and Google Benchmark is installed.
function(chiwawa_benchmark name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOLDER" "")
  chiwawa_sources(sources ${arg_FOLDER})
  if(NOT sources)
    return()
  endif()
  find_package(benchmark QUIET)
  if(NOT benchmark_FOUND)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE chiwawa_strict chiwawa_inspect chiwawa_snapshot chiwawa_wasi chiwawa_interp
                                        benchmark::benchmark_main chiwawa_counter_macro)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  set_property(GLOBAL APPEND PROPERTY CHIWAWA_PROGRAMS ${name})
endfunction()
