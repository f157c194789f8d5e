# Compiles every public header alone: the C headers as C and as C++ without a byte of padding, the C++
# headers with the warnings of this project. Run by CTest as
#     cmake -DROOT=<sdk> -DWORK=<directory> -P headers_alone.cmake
set(plain -pedantic -Wall -Wextra -Wpadded -Werror -fsyntax-only)
set(strict -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only)
set(failures 0)
set(done 0)

# compile(COMPILER STANDARD SUFFIX HEADER flags...): one line that includes the header, twice, so that
# its guard is tried too.
function(compile compiler standard suffix header)
  set(file ${WORK}/alone.${suffix})
  file(WRITE ${file} "#include <${header}>\n#include <${header}>\ntypedef int not_empty;\n")
  execute_process(
    COMMAND ${compiler} -std=${standard} ${ARGN} -I${ROOT}/include -I${ROOT}/testing/include ${file}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  math(EXPR done "${done} + 1")
  set(done ${done} PARENT_SCOPE)
  if(NOT result EQUAL 0)
    message("${compiler} -std=${standard} ${header}:\n${output}")
    math(EXPR failures "${failures} + 1")
    set(failures ${failures} PARENT_SCOPE)
  endif()
endfunction()

# takes(COMPILER STANDARD RESULT): whether a compiler knows a language standard.
function(takes compiler standard result)
  file(WRITE ${WORK}/empty.cpp "int main() {}\n")
  execute_process(COMMAND ${compiler} -std=${standard} -fsyntax-only ${WORK}/empty.cpp
    RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
  if(code EQUAL 0)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

file(MAKE_DIRECTORY ${WORK})
file(GLOB c_headers RELATIVE ${ROOT}/include ${ROOT}/include/bkhost/*.h)
file(GLOB cpp_headers RELATIVE ${ROOT}/include ${ROOT}/include/bkhost/*.hpp)
file(GLOB fakes RELATIVE ${ROOT}/testing/include ${ROOT}/testing/include/bkhost/testing/*.hpp)
list(APPEND cpp_headers ${fakes})
if(NOT c_headers OR NOT fakes)
  message(FATAL_ERROR "no headers below '${ROOT}'")
endif()

foreach(pair "gcc;g++" "clang;clang++")
  list(GET pair 0 c)
  list(GET pair 1 cpp)
  find_program(C_${c} ${c})
  find_program(CPP_${c} ${cpp})
  if(NOT C_${c} OR NOT CPP_${c})
    message("skipped: ${c} and ${cpp} are not installed")
    continue()
  endif()
  set(newest)
  foreach(standard c++2b c++23) # the name before and after the standard came out
    takes(${CPP_${c}} ${standard} known)
    if(known)
      set(newest ${standard})
    endif()
  endforeach()
  foreach(header IN LISTS c_headers)
    foreach(standard c11 c17)
      compile(${C_${c}} ${standard} c ${header} ${plain})
    endforeach()
    foreach(standard c++20 ${newest})
      compile(${CPP_${c}} ${standard} cpp ${header} ${plain})
    endforeach()
  endforeach()
  foreach(header IN LISTS cpp_headers)
    compile(${CPP_${c}} c++20 cpp ${header} ${strict})
  endforeach()
endforeach()

if(failures GREATER 0)
  message(FATAL_ERROR "${failures} of ${done} compilations failed")
endif()
message("${done} compilations")
